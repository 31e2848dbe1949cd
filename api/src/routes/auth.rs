//! Signing in: the doors, where nobody is known yet and no permission stands, and what users change of it.

use crate::{
    pipeline::{Route, route::Verb},
    sign_in::{
        account::{BeginTotpEnrolment, ChangePassword, ConfirmTotpEnrolment, DisableTotp, SetTemporaryPassword, WhoAmI},
        doors::{ConfirmEnrolment, EnrolSecondFactor, RefreshSession, SetOwnPassword, SignIn, SignOut, VerifySecondFactor},
    },
};

pub const ROUTES: &[Route] = &[
    Route::door::<SignIn>(Verb::Post, "/auth/signin"),
    Route::door::<SignIn>(Verb::Post, "/auth/login").alias(),
    Route::door::<VerifySecondFactor>(Verb::Post, "/auth/mfa/verify"),
    Route::door::<EnrolSecondFactor>(Verb::Post, "/auth/mfa/enrol"),
    Route::door::<ConfirmEnrolment>(Verb::Post, "/auth/mfa/confirm"),
    Route::door::<SetOwnPassword>(Verb::Post, "/auth/password"),
    Route::door::<RefreshSession>(Verb::Post, "/auth/refresh"),
    Route::door::<SignOut>(Verb::Post, "/auth/logout"),
    Route::action::<WhoAmI>(Verb::Get, "/me", "identity.self.read"),
    Route::action::<ChangePassword>(Verb::Post, "/me/password", "identity.self.change_password"),
    Route::action::<BeginTotpEnrolment>(Verb::Post, "/me/mfa/totp", "identity.self.enrol_second_factor"),
    Route::action::<ConfirmTotpEnrolment>(Verb::Post, "/me/mfa/totp/confirm", "identity.self.enrol_second_factor"),
    Route::action::<DisableTotp>(Verb::Post, "/me/mfa/totp/disable", "identity.self.disable_second_factor"),
    Route::action::<SetTemporaryPassword>(Verb::Post, "/users/{user_id}/temporary-password", "identity.credential.set_temporary"),
];
