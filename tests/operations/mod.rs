//! What is deployed fits what is built.

mod deployment;
