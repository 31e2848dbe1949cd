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

/// The states of a life cycle, with the ways that lead from one to another.
pub trait LifeCycle: Copy + PartialEq + 'static {
    /// The name in events, rows and answers.
    fn state_name(self) -> &'static str;

    fn ways() -> &'static [Transition<Self>];

    /// Where something may go from here.
    fn leads_to(self) -> Vec<&'static str> {
        let mut names: Vec<_> = Self::ways().iter().filter(|way| way.leads_from(self)).map(|way| way.to.state_name()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Where something stands that was asked to go elsewhere, and where it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub present: &'static str,
    pub leads_to: Vec<&'static str>,
}

impl Standing {
    pub fn at(state: impl LifeCycle) -> Self {
        Self { present: state.state_name(), leads_to: state.leads_to() }
    }
}

/// Declares the ways of a life cycle, one row each, and `TRANSITIONS`, all of them.
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
        pub(super) const TRANSITIONS: &[$crate::kernel::Transition<$status>] = &[$($name),*];

        impl $crate::kernel::LifeCycle for $status {
            fn state_name(self) -> &'static str {
                self.name()
            }

            fn ways() -> &'static [$crate::kernel::Transition<Self>] {
                TRANSITIONS
            }
        }
    };
}
