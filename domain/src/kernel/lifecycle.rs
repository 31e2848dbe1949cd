//! Life cycles: which state leads to which, written as a table that a test compares with the documents.

/// A way from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition<S: 'static> {
    pub from: &'static [S],
    pub to: S,
}

impl<S: PartialEq> Transition<S> {
    pub fn leads_from(&self, state: S) -> bool {
        self.from.contains(&state)
    }
}

/// Declares the ways of a life cycle, one row each, and `TRANSITIONS`, all of them, for tests.
///
/// ```text
/// transitions! { UserStatus {
///     /// E-146
///     SUSPEND: Active => Suspended;
/// } }
/// ```
#[macro_export]
macro_rules! transitions {
    ($status:ident { $($(#[$doc:meta])* $name:ident: $($from:ident)|+ => $to:ident;)* }) => {
        $(
            $(#[$doc])*
            pub(super) const $name: $crate::kernel::Transition<$status> =
                $crate::kernel::Transition { from: &[$($status::$from),+], to: $status::$to };
        )*

        /// Every way there is.
        #[cfg(test)]
        pub(super) const TRANSITIONS: &[$crate::kernel::Transition<$status>] = &[$($name),*];
    };
}
