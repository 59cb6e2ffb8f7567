//! What behaviour tests share.

pub mod broker;
pub mod cap;
pub mod clips;
pub mod command;
pub mod detail;
pub mod frozen;
pub mod hours;
pub mod login;
pub mod rtsp;
pub mod server;
pub mod sip;
pub mod site;
pub mod tls;
pub mod wire;
