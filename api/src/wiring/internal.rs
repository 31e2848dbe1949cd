//! What the house asks of itself: operations that no request offers, admitted here.

use palmares_domain::kernel::{Admission, Admitted};

/// Admits an operation of the house.
pub(super) fn admit<T>(admission: Admission, operation: T) -> Admitted<T> {
    #[expect(clippy::disallowed_methods, reason = "the access log and the bootstrap record what no caller asks for")]
    Admitted::grant(admission, operation)
}
