//! The summary for people: what there is of somebody, how much, and who read it, as a PDF.
//!
//! Its font is one that every reader has, so a letter outside of Western European scripts shows as a
//! question mark; the full export has everything as it is.

use super::document::Gathered;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};
use std::collections::BTreeMap;

const FONT: Name<'static> = Name(b"F1");
const FONT_SIZE: f32 = 9.0;
const LINE_HEIGHT: f32 = 13.0;
const LINES_PER_PAGE: usize = 56;
const LINE_MAX_CHARS: usize = 110;
/// A4, in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 50.0;
/// The newest reads that are listed.
const READS_LISTED: usize = 200;

/// What the summary says, line by line.
pub(super) fn lines(gathered: &Gathered) -> Vec<String> {
    let mut lines = vec![
        "What is recorded of you / Ce qui est enregistré à votre sujet".to_owned(),
        String::new(),
        format!("Organization: {}", gathered.organization_id),
        format!("Person: {}", gathered.user_id),
        format!("Built: {}", gathered.built_at.format("%Y-%m-%d %H:%M UTC")),
        format!("Events: {}", gathered.events.len()),
        format!("Times that somebody else read sensitive data of yours: {}", gathered.read_by.len()),
        String::new(),
        "Events by type".to_owned(),
    ];
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for own in &gathered.events {
        *types.entry(&own.event.event_type).or_default() += 1;
    }
    lines.extend(types.into_iter().map(|(event_type, count)| format!("{count:>8}  {event_type}")));
    lines.extend([String::new(), format!("Reads by others, the newest first, {READS_LISTED} at most")]);
    lines.extend(
        gathered
            .read_by
            .iter()
            .rev()
            .take(READS_LISTED)
            .map(|read| format!("{}  {}  {}  {}", read.read_at.format("%Y-%m-%d %H:%M UTC"), read.reader_id, read.data_class, read.route)),
    );
    lines
}

/// The lines on pages.
pub(super) fn pdf(lines: &[String]) -> Vec<u8> {
    let mut next = 1;
    let mut fresh = || {
        let id = Ref::new(next);
        next += 1;
        id
    };
    let (catalog, tree, font) = (fresh(), fresh(), fresh());
    let pages: Vec<_> = lines.chunks(LINES_PER_PAGE).map(|lines| (fresh(), fresh(), lines)).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids(pages.iter().map(|(page, ..)| *page)).count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    for (id, content, lines) in &pages {
        let mut page = pdf.page(*id);
        page.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(tree).contents(*content);
        page.resources().fonts().pair(FONT, font);
        page.finish();
        pdf.stream(*content, &text(lines));
    }
    pdf.type1_font(font).base_font(Name(b"Helvetica")).encoding_predefined(Name(b"WinAnsiEncoding"));
    pdf.finish()
}

fn text(lines: &[String]) -> Vec<u8> {
    let mut content = Content::new();
    content.begin_text();
    content.set_font(FONT, FONT_SIZE);
    content.next_line(MARGIN, PAGE.1 - MARGIN);
    for line in lines {
        content.show(Str(&latin(line)));
        content.next_line(0.0, -LINE_HEIGHT);
    }
    content.end_text();
    content.finish().to_vec()
}

/// The line in the encoding of the font, which is Latin-1 as far as it is used here.
fn latin(line: &str) -> Vec<u8> {
    let byte = |letter: char| match u32::from(letter) {
        code @ (0x20..=0x7e | 0xa0..=0xff) => u8::try_from(code).unwrap_or(b'?'),
        _ => b'?',
    };
    line.chars().take(LINE_MAX_CHARS).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_as_many_pages_as_its_lines_need() {
        for (count, pages) in [(1, 1), (LINES_PER_PAGE, 1), (LINES_PER_PAGE + 1, 2)] {
            let written = pdf(&vec!["a line".to_owned(); count]);
            assert!(written.starts_with(b"%PDF-1."));
            let text = String::from_utf8_lossy(&written).into_owned();
            assert!(text.contains(&format!("/Count {pages}")), "{count} lines");
            assert_eq!(text.matches("(a line) Tj").count(), count);
        }
    }

    #[test]
    fn a_letter_that_the_font_lacks_is_a_question_mark() {
        assert_eq!(latin("enregistré à 中"), [b"enregistr\xe9 \xe0 ".as_slice(), b"?"].concat());
    }
}
