//! The way to the platform: a UDP socket or a TCP connection that gives and takes whole SIP messages.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;

use super::sip::{Framer, Message, SipError};
use crate::config::plan::{Gb28181, SipTransport};

/// Longest wait for a connection, and for a peer that does not take what is sent.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest datagram.
const DATAGRAM: usize = 65_535;

/// An open way.
pub enum Way {
    /// Datagrams from and to the platform's address alone.
    Udp { socket: UdpSocket, buffer: Box<[u8]> },
    /// A connection.
    Tcp { stream: TcpStream, framer: Framer, buffer: Box<[u8]> },
}

/// What came in.
pub enum Received {
    /// A whole message.
    Message(Message),
    /// A datagram that is none; the next may be.
    Garbage(SipError),
}

impl Way {
    /// Looks the platform up and opens a way to it.
    pub async fn open(plan: &Gb28181) -> io::Result<Self> {
        timeout(PATIENCE, Self::reach(plan)).await?
    }

    async fn reach(plan: &Gb28181) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for peer in lookup_host(&plan.server).await? {
            let any = if peer.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
            match Self::connect(plan.transport, plan.local.unwrap_or(any), peer).await {
                Ok(way) => return Ok(way),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect(transport: SipTransport, local: SocketAddr, peer: SocketAddr) -> io::Result<Self> {
        match transport {
            SipTransport::Udp => {
                let socket = UdpSocket::bind(local).await?;
                socket.connect(peer).await?;
                Ok(Self::Udp { socket, buffer: vec![0; DATAGRAM].into() })
            }
            SipTransport::Tcp => {
                let socket = if peer.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
                socket.set_reuseaddr(true)?;
                socket.bind(local)?;
                let stream = socket.connect(peer).await?;
                stream.set_nodelay(true)?;
                Ok(Self::Tcp { stream, framer: Framer::default(), buffer: vec![0; 8192].into() })
            }
        }
    }

    /// This end.
    pub fn local(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Udp { socket, .. } => socket.local_addr(),
            Self::Tcp { stream, .. } => stream.local_addr(),
        }
    }

    /// Waits for a message. May be dropped at any time without losing one. An error ends the way.
    pub async fn receive(&mut self) -> io::Result<Received> {
        match self {
            Self::Udp { socket, buffer } => loop {
                let length = match socket.recv(buffer).await {
                    Ok(length) => length,
                    // Nobody listens there just now (ICMP); the next request will show whether that has changed.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                    Err(error) => return Err(error),
                };
                let datagram = &buffer[..length];
                // Empty lines keep a way open and mean nothing.
                if datagram.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
                    continue;
                }
                return Ok(Message::read(datagram).map_or_else(Received::Garbage, Received::Message));
            },
            Self::Tcp { stream, framer, buffer } => loop {
                match framer.message() {
                    Ok(Some(message)) => return Ok(Received::Message(message)),
                    Ok(None) => {}
                    // The stream is out of step.
                    Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
                }
                let length = stream.read(buffer).await?;
                if length == 0 {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the platform closed the connection"));
                }
                framer.push(&buffer[..length]);
            },
        }
    }

    /// Sends one message.
    pub async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp { socket, .. } => match socket.send(message).await {
                // The report of an earlier datagram.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    socket.send(message).await.map(drop).or_else(refused_is_lost)
                }
                sent => sent.map(drop),
            },
            Self::Tcp { stream, .. } => timeout(PATIENCE, stream.write_all(message)).await?,
        }
    }
}

/// A datagram to nobody is a lost datagram: the transaction repeats it.
fn refused_is_lost(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::ConnectionRefused { Ok(()) } else { Err(error) }
}
