//! A table of people: text with a header, read into rows.

use crate::engine::Refused;
use csv::{ReaderBuilder, StringRecord, Trim};
use palmares_domain::identity::user_import::{CSV_MAX_BYTES, Cells, Column, ROWS_MAX, RowError, RowFault, Values};

/// What spreadsheets put before UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A row: what it says, or what is wrong with it.
pub(super) type Row = Result<Values, Vec<RowError>>;

/// Where the columns stand, in whichever order the header has them.
struct Header {
    cells: usize,
    email: usize,
    display_name: Option<usize>,
    role: usize,
}

/// The rows of a table.
///
/// # Errors
/// The text is too large, has no header of these columns, or has no rows or too many.
pub(super) fn read(text: &str) -> Result<Vec<Row>, Refused> {
    if text.len() > CSV_MAX_BYTES {
        return Err(refused("identity.import_too_large"));
    }
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut reader = ReaderBuilder::new().delimiter(delimiter(text)).trim(Trim::All).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().ok().and_then(Header::read).ok_or_else(|| refused("identity.import_header_invalid"))?;
    let mut rows = Vec::new();
    for record in reader.records() {
        // The text is UTF-8 and rows may differ in length, so nothing is left that could be wrong.
        let record = record.map_err(|_| refused("identity.import_header_invalid"))?;
        if rows.len() == ROWS_MAX {
            return Err(refused("identity.import_row_count"));
        }
        rows.push(header.row(&record));
    }
    if rows.is_empty() { Err(refused("identity.import_row_count")) } else { Ok(rows) }
}

fn refused(reason: &'static str) -> Refused {
    Refused::field("csv", reason)
}

/// A semicolon where the header is parted by it: spreadsheets write one in countries whose numbers
/// have a comma.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    if header.contains(';') && !header.contains(',') { b';' } else { b',' }
}

impl Header {
    /// Each column once and no other; the name may be missing, and is then nobody's.
    fn read(record: &StringRecord) -> Option<Self> {
        let (mut email, mut display_name, mut role) = (None, None, None);
        for (place, name) in record.iter().enumerate() {
            let column = match Column::parse(&name.to_ascii_lowercase())? {
                Column::Email => &mut email,
                Column::DisplayName => &mut display_name,
                Column::Role => &mut role,
                Column::Row => return None,
            };
            if column.replace(place).is_some() {
                return None;
            }
        }
        Some(Self { cells: record.len(), email: email?, display_name, role: role? })
    }

    fn row(&self, record: &StringRecord) -> Row {
        if record.len() != self.cells {
            return Err(vec![RowError::new(Column::Row, RowFault::CellCount)]);
        }
        let cell = |place: usize| record.get(place).unwrap_or_default();
        let display_name = self.display_name.map(cell).unwrap_or_default();
        Cells { email: cell(self.email), display_name, role: cell(self.role) }.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<Vec<(Column, RowFault)>> {
        let rows = read(text).unwrap();
        rows.into_iter().map(|row| row.err().unwrap_or_default().iter().map(|error| (error.column, error.fault)).collect()).collect()
    }

    fn reason(text: &str) -> String {
        let refused = read(text).err().unwrap();
        assert_eq!(refused.errors[0].field, "csv");
        refused.errors[0].reason.clone()
    }

    // covers: E-133
    #[test]
    fn columns_stand_in_any_order_under_their_names() {
        for text in [
            "email,display_name,role\nada@acme.example,Ada Lovelace,member\n",
            "\u{feff}Role , EMAIL,display_name\r\nmember, ada@acme.example ,\"Ada Lovelace\"\r\n",
            "display_name;role;email\nAda Lovelace;member;ada@acme.example",
        ] {
            let mut rows = read(text).unwrap();
            let values = rows.pop().unwrap().ok().unwrap();
            assert!(rows.is_empty());
            assert_eq!((values.email.as_str(), values.display_name.as_deref()), ("ada@acme.example", Some("Ada Lovelace")), "{text}");
            assert_eq!(values.role.to_string(), "member");
        }
        let rows = read("email,role\nada@acme.example,member").unwrap();
        assert_eq!(rows[0].as_ref().ok().and_then(|values| values.display_name.clone()), None);
    }

    #[test]
    fn a_table_without_its_columns_or_rows_is_refused() {
        for header in ["", "\n", "email,display_name", "mail,role", "email,role,email", "email,role,phone", "ada@acme.example,member"] {
            assert_eq!(reason(&format!("{header}\nada@acme.example,member")), "identity.import_header_invalid", "{header:?}");
        }
        assert_eq!(reason("email,role\n\n"), "identity.import_row_count");
        let rows = |count: usize| format!("email,role\n{}", "a@b.co,member\n".repeat(count));
        assert_eq!(read(&rows(ROWS_MAX)).unwrap().len(), ROWS_MAX);
        assert_eq!(reason(&rows(ROWS_MAX + 1)), "identity.import_row_count");
        assert_eq!(reason(&format!("email,role\n{}", "x".repeat(CSV_MAX_BYTES))), "identity.import_too_large");
    }

    #[test]
    fn a_row_that_does_not_fit_the_header_spoils_no_other() {
        use {Column::*, RowFault::*};
        let text = "email,display_name,role\nada@acme.example,member\na@b.co,Ada,member,x\n\"torn,Ada,member\n";
        assert_eq!(faults(text), [vec![(Row, CellCount)], vec![(Row, CellCount)], vec![(Row, CellCount)]]);
        let text = "email,display_name,role\n,,\nada@acme.example,\"Ada, Countess\",member\ngrace@acme.example, =1+1 ,member";
        assert_eq!(faults(text), [vec![(Email, EmailInvalid), (Column::Role, RoleUnknown)], vec![], vec![(DisplayName, Formula)]]);
    }
}
