//! What is deployed fits what is built.

mod cluster;
mod deployment;
mod site;
mod telemetry;
