//! The routes: one file of rows per context. This is the table that serves; documents, policies and
//! the attack tests read the same one.

pub mod challenges;
pub mod compliance;
pub mod identity;
pub mod operations;
pub mod organizations;
pub mod points;
pub mod system;

use crate::pipeline::Route;

/// Every context's rows.
const TABLES: &[&[Route]] =
    &[system::ROUTES, organizations::ROUTES, identity::ROUTES, points::ROUTES, challenges::ROUTES, compliance::ROUTES, operations::ROUTES];

/// Every row.
pub fn all() -> impl Iterator<Item = &'static Route> {
    TABLES.iter().copied().flatten()
}
