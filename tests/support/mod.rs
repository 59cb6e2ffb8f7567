//! What behaviour tests share.

pub mod clips;
pub mod rtsp;
