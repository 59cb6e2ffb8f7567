//! What behaviour tests share.

pub mod clips;
pub mod command;
pub mod rtsp;
pub mod site;
pub mod tls;
