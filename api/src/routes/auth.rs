//! Signing in: the doors, where nobody is known yet and no permission stands, and what users change of it.

use crate::{
    pipeline::{Route, route::Verb},
    sign_in::{
        account::{
            AskEmailVerification, BeginTotpEnrolment, ChangePassword, ConfirmTotpEnrolment, DisableTotp, SetTemporaryPassword, WhoAmI,
        },
        doors::{
            AskEmailCode, AskMagicLink, AskPasswordReset, AskPhoneCode, CompleteSignup, ConfirmEnrolment, Disown, EnrolSecondFactor,
            FinishOidc, RefreshSession, RequestSignup, ResetPassword, SetOwnPassword, SignIn, SignOut, StartOidc, TakeMagicLink,
            VerifyEmail, VerifySecondFactor, VerifySignupPhone,
        },
        phone::{AskOwnPhoneCode, BeginPhoneEnrolment, ConfirmPhoneEnrolment, RemovePhone},
        step_up::StepUp,
    },
};

pub const ROUTES: &[Route] = &[
    Route::door::<SignIn>(Verb::Post, "/auth/signin"),
    Route::door::<SignIn>(Verb::Post, "/auth/login").alias(),
    Route::door::<RequestSignup>(Verb::Post, "/auth/signup"),
    Route::door::<VerifySignupPhone>(Verb::Post, "/auth/signup/phone"),
    Route::door::<CompleteSignup>(Verb::Post, "/auth/signup/complete"),
    Route::door::<AskMagicLink>(Verb::Post, "/auth/magic-link"),
    Route::door::<TakeMagicLink>(Verb::Post, "/auth/magic-link/complete"),
    Route::door::<AskPasswordReset>(Verb::Post, "/auth/password-reset"),
    Route::door::<ResetPassword>(Verb::Post, "/auth/password-reset/complete"),
    Route::door::<VerifyEmail>(Verb::Post, "/auth/email-verification/complete"),
    Route::door::<Disown>(Verb::Post, "/auth/not-me/complete"),
    Route::door::<AskEmailCode>(Verb::Post, "/auth/mfa/email-code"),
    Route::door::<AskPhoneCode>(Verb::Post, "/auth/mfa/phone-code"),
    Route::door::<VerifySecondFactor>(Verb::Post, "/auth/mfa/verify"),
    Route::door::<EnrolSecondFactor>(Verb::Post, "/auth/mfa/enrol"),
    Route::door::<ConfirmEnrolment>(Verb::Post, "/auth/mfa/confirm"),
    Route::door::<SetOwnPassword>(Verb::Post, "/auth/password"),
    Route::door::<RefreshSession>(Verb::Post, "/auth/refresh"),
    Route::door::<StartOidc>(Verb::Get, "/auth/oidc/start"),
    Route::door::<FinishOidc>(Verb::Get, "/auth/oidc/callback"),
    Route::door::<SignOut>(Verb::Post, "/auth/logout"),
    Route::action::<WhoAmI>(Verb::Get, "/me", "identity.self.read").before_consent(),
    Route::action::<StepUp>(Verb::Post, "/me/step-up", "identity.self.step_up").before_consent(),
    Route::action::<ChangePassword>(Verb::Post, "/me/password", "identity.self.change_password"),
    Route::action::<AskEmailVerification>(Verb::Post, "/me/email-verification", "identity.self.verify_email"),
    Route::action::<BeginTotpEnrolment>(Verb::Post, "/me/mfa/totp", "identity.self.enrol_second_factor"),
    Route::action::<ConfirmTotpEnrolment>(Verb::Post, "/me/mfa/totp/confirm", "identity.self.enrol_second_factor"),
    Route::action::<DisableTotp>(Verb::Post, "/me/mfa/totp/disable", "identity.self.disable_second_factor"),
    // A session alone does not put a telephone in place of its owner's, nor take it away.
    Route::action::<BeginPhoneEnrolment>(Verb::Post, "/me/mfa/phone", "identity.self.enrol_second_factor").needing_proof(),
    Route::action::<ConfirmPhoneEnrolment>(Verb::Post, "/me/mfa/phone/confirm", "identity.self.enrol_second_factor"),
    Route::action::<AskOwnPhoneCode>(Verb::Post, "/me/mfa/phone/code", "identity.self.disable_second_factor"),
    Route::action::<RemovePhone>(Verb::Post, "/me/mfa/phone/remove", "identity.self.disable_second_factor").needing_proof(),
    Route::action::<SetTemporaryPassword>(Verb::Post, "/users/{user_id}/temporary-password", "identity.credential.set_temporary"),
];
