//! Lines of text on the pages of a PDF.
//!
//! The font is one that every reader has, and it has Western European letters only. Any other is written as its number
//! in Unicode, `\u{928}`, and so is the backslash, so that nothing can be mistaken; a line says how to read it, and the
//! full export has everything as it is.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};

const FONT: Name<'static> = Name(b"F1");
const FONT_SIZE: f32 = 9.0;
const LINE_HEIGHT: f32 = 13.0;
const LINES_PER_PAGE: usize = 56;
const LINE_MAX_CHARS: usize = 100;
/// Before what did not fit into the line above.
const INDENT: &str = "      ";
/// A4, in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 50.0;

/// The letters that the encoding of the font has from 0x80 to 0x9f; 0 where it has none.
const ENCODED_FROM_80: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“', '”', '•', '–', '—', '˜', '™',
    'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// The lines on pages; `how_to_read` stands below the first one where a letter is written as its number.
pub(super) fn pdf(lines: &[String], how_to_read: &str) -> Vec<u8> {
    let mut shown: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    if shown.iter().zip(lines).any(|(shown, line)| shown != line) {
        // Not escaped itself: it shows what such a letter looks like.
        shown.insert(1.min(shown.len()), how_to_read.to_owned());
    }
    let lines: Vec<_> = shown.iter().flat_map(|line| wrapped(line)).collect();
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

/// A line as several, none longer than a page is wide; broken between words where there are any.
fn wrapped(line: &str) -> Vec<String> {
    let mut rest: Vec<char> = line.chars().collect();
    let mut lines = Vec::new();
    while rest.len() > LINE_MAX_CHARS {
        let space = rest[..LINE_MAX_CHARS].iter().rposition(|letter| *letter == ' ').filter(|at| *at > LINE_MAX_CHARS / 2);
        let behind = rest.split_off(space.unwrap_or(LINE_MAX_CHARS));
        lines.push(rest.into_iter().collect());
        rest = INDENT.chars().chain(behind.into_iter().skip_while(|letter| *letter == ' ')).collect();
    }
    lines.push(rest.into_iter().collect());
    lines
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

/// The line with every letter that the font lacks, and every backslash, written as its number.
fn escaped(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for letter in line.chars() {
        match encoded(letter) {
            Some(_) if letter != '\\' => shown.push(letter),
            _ => shown.extend(letter.escape_unicode()),
        }
    }
    shown
}

/// A letter in the encoding of the font.
fn encoded(letter: char) -> Option<u8> {
    match u32::from(letter) {
        code @ (0x20..=0x7e | 0xa0..=0xff) => u8::try_from(code).ok(),
        0 => None,
        _ => ENCODED_FROM_80.iter().position(|known| *known == letter).and_then(|at| u8::try_from(0x80 + at).ok()),
    }
}

fn latin(line: &str) -> Vec<u8> {
    line.chars().filter_map(encoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_pages_as_the_lines_need() {
        for (count, pages) in [(1, 1), (LINES_PER_PAGE, 1), (LINES_PER_PAGE + 1, 2)] {
            let written = pdf(&vec!["a line".to_owned(); count], "never shown");
            assert!(written.starts_with(b"%PDF-1."));
            let text = String::from_utf8_lossy(&written).into_owned();
            assert!(text.contains(&format!("/Count {pages}")), "{count} lines");
            assert_eq!(text.matches("(a line) Tj").count(), count);
        }
    }

    #[test]
    fn what_does_not_fit_into_a_line_goes_on_in_the_next() {
        let route = format!("/api/v1/{}", "x".repeat(150));
        let lines = wrapped(&format!("2026-01-01 {route}"));
        assert!(lines.len() > 1 && lines.iter().all(|line| line.chars().count() <= LINE_MAX_CHARS), "{lines:?}");
        let whole: String = lines.iter().map(|line| line.trim_start()).collect();
        assert_eq!(whole, format!("2026-01-01 {route}"));
        assert_eq!(wrapped(&format!("{} {}", "a".repeat(60), "b".repeat(60))), ["a".repeat(60), format!("{INDENT}{}", "b".repeat(60))]);
        assert_eq!(wrapped("short"), ["short"]);
    }

    // covers: E-177
    #[test]
    fn a_letter_that_the_font_lacks_is_its_number_and_a_line_says_how_to_read_it() {
        assert_eq!(latin("enregistré à 5 € – Šœ"), b"enregistr\xe9 \xe0 5 \x80 \x96 \x8a\x9c");
        assert_eq!(escaped("Łódź, Ωμέγα"), r"\u{141}ód\u{17a}, \u{3a9}\u{3bc}\u{3ad}\u{3b3}\u{3b1}");
        assert_eq!((escaped("नम"), escaped(r"a\b")), (r"\u{928}\u{92e}".to_owned(), r"a\u{5c}b".to_owned()));
        assert_eq!(escaped("tab\there\0"), r"tab\u{9}here\u{0}");
        // Whatever two lines say differently is shown differently.
        assert_ne!(escaped("ł"), escaped(r"\u{142}"));
        let text = |line: &str| String::from_utf8_lossy(&pdf(&["Title".to_owned(), line.to_owned()], "How to read it")).into_owned();
        let shown = text("Ada नम");
        assert!(shown.contains("(How to read it) Tj") && shown.contains("u{928}") && !shown.contains('?'), "{shown}");
        assert!(!text("Ada").contains("How to read it"));
    }
}
