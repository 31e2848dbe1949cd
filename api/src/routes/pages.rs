//! The pages to which the links in letters lead.

use crate::{
    openapi::describe::public,
    pages::Page,
    pipeline::{
        Route,
        call::{Answer, Call},
    },
};

const HTML: &str = "text/html";

pub const ROUTES: &[Route] = &[
    Route::public(
        "/auth/magic-link",
        |call| Box::pin(page(call, Page::MagicLink)),
        || public("magic_link_page", "Where a letter's link to sign in leads.", HTML),
    ),
    Route::public(
        "/auth/password-reset",
        |call| Box::pin(page(call, Page::PasswordReset)),
        || public("password_reset_page", "Where a letter's link to set a password leads.", HTML),
    ),
    Route::public(
        "/auth/email-verification",
        |call| Box::pin(page(call, Page::EmailVerification)),
        || public("email_verification_page", "Where a letter's link to confirm an address leads.", HTML),
    ),
    Route::public(
        "/auth/signup",
        |call| Box::pin(page(call, Page::Signup)),
        || public("signup_page", "Where the link of a sign-up leads.", HTML),
    ),
    Route::public(
        "/auth/not-me",
        |call| Box::pin(page(call, Page::NotMe)),
        || public("not_me_page", "Where the link of a security notice leads.", HTML),
    ),
    Route::public(
        "/invitation",
        |call| Box::pin(page(call, Page::Invitation)),
        || public("invitation_page", "Where an invitation's link leads.", HTML),
    ),
];

async fn page(call: &mut Call<'_>, page: Page) -> Answer {
    Ok(page.answer(call.language))
}
