//! Commands of one account: what they have in common, written once.

/// Declares commands of one account, with the fields that every one of them has in front of its own:
/// `CreateDebit { … }` names the account itself, `PostHold of hold_id { … }` names a transaction, of
/// which the account is looked up.
///
/// Such an operation takes its streams from `named_account!()` or `looked_up_account!()`. A shared
/// part could not be a struct of its own: serde refuses unknown fields only where nothing is flattened.
macro_rules! of_account {
    ($(#[$meta:meta])* $command:ident { $($fields:tt)* }) => {
        $(#[$meta])*
        #[derive(serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $command {
            pub program_id: palmares_domain::kernel::ProgramId,
            pub user_id: palmares_domain::kernel::UserId,
            pub team_id: Option<palmares_domain::kernel::TeamId>,
            $($fields)*
        }

        impl $command {
            fn account(&self) -> palmares_domain::points::AccountKey {
                let Self { program_id, user_id, team_id, .. } = *self;
                palmares_domain::points::AccountKey { program_id, user_id, team_id }
            }
        }
    };
    ($(#[$meta:meta])* $command:ident of $transaction:ident { $($fields:tt)* }) => {
        $(#[$meta])*
        #[derive(serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $command {
            pub $transaction: palmares_domain::kernel::TransactionId,
            $($fields)*
            /// Looked up before the command is executed.
            #[serde(skip)]
            #[schema(ignore)]
            pub account: Option<palmares_domain::points::AccountKey>,
        }

        impl $crate::points::NeedsAccount for $command {
            fn transaction(&self) -> palmares_domain::kernel::TransactionId {
                self.$transaction
            }
            fn resolve(&mut self, account: palmares_domain::points::AccountKey) {
                self.account = Some(account);
            }
        }
    };
}

/// The streams of an operation that names its account: that of the account, and those it looks at.
macro_rules! named_account {
    () => {
        fn streams(&self, admission: &palmares_domain::kernel::Admission) -> Vec<$crate::engine::StreamRef> {
            vec![$crate::points::account_stream(admission, &self.account())]
        }

        fn reads(&self, admission: &palmares_domain::kernel::Admission) -> Vec<$crate::engine::StreamRef> {
            $crate::points::named_by(admission, &self.account())
        }
    };
}

/// The streams of an operation whose account was looked up; none where it was not found.
macro_rules! looked_up_account {
    () => {
        fn streams(&self, admission: &palmares_domain::kernel::Admission) -> Vec<$crate::engine::StreamRef> {
            self.account.iter().map(|account| $crate::points::account_stream(admission, account)).collect()
        }

        fn reads(&self, admission: &palmares_domain::kernel::Admission) -> Vec<$crate::engine::StreamRef> {
            self.account.iter().map(|account| $crate::points::program_stream(admission, account.program_id)).collect()
        }
    };
}

pub(super) use {looked_up_account, named_account, of_account};
