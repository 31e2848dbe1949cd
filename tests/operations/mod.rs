//! What is deployed fits what is built.

mod backup;
mod cells;
mod cluster;
mod deployment;
mod proxies;
mod rotation;
mod site;
mod telemetry;
