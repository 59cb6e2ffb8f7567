//! The part of SIP that GB/T 28181 uses for alarms: messages, digest authentication, client transactions.

pub mod digest;
pub mod message;
pub mod transaction;

pub use message::{Framer, Message, SipError, Start, param};
