//! Why a request got no answer: errors of the HTTP client and of plain connections, told apart by type, never by text. Knows no sockets.

use std::{error::Error, io};

use rustls::CertificateError;

use super::dial::Blocked;
use crate::model::Obstacle;

/// What an error of the client says about the remote host.
pub(super) fn obstacle_of(error: &reqwest::Error) -> Obstacle {
    let causes = causes(error);
    if let Some(Blocked(obstacle)) = first(&causes) {
        return obstacle.clone();
    }
    if let Some(error_of_tls) = first(&causes) {
        return obstacle_of_tls(error_of_tls, error.is_connect());
    }
    let protocol: Option<&hyper::Error> = first(&causes);
    if is_timeout(&causes) {
        return Obstacle::Timeout;
    }
    if protocol.is_some_and(hyper::Error::is_parse) {
        return Obstacle::NotHttp;
    }
    if protocol.is_none() && error.is_decode() {
        return Obstacle::Undecodable;
    }
    let by_kind = causes.iter().filter_map(|cause| cause.downcast_ref::<io::Error>()).find_map(|error| obstacle_of_kind(error.kind()));
    by_kind.unwrap_or(if error.is_connect() { Obstacle::Unreachable } else { Obstacle::ConnectionCut })
}

/// What an error of a connection to a mail server says; `is_handshake`: while TLS began.
pub(super) fn obstacle_of_connection(error: &io::Error, is_handshake: bool) -> Obstacle {
    let causes = causes(error);
    if let Some(error_of_tls) = first(&causes) {
        return obstacle_of_tls(error_of_tls, is_handshake);
    }
    if is_timeout(&causes) {
        return Obstacle::Timeout;
    }
    obstacle_of_kind(error.kind()).unwrap_or(Obstacle::ConnectionCut)
}

/// The error and all that it was caused by. `io::Error` shows what it wraps only through `get_ref`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        causes.push(cause);
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => cause.source(),
        };
    }
    causes
}

fn first<'a, T: Error + 'static>(causes: &[&'a (dyn Error + 'static)]) -> Option<&'a T> {
    causes.iter().find_map(|cause| cause.downcast_ref())
}

fn is_timeout(causes: &[&(dyn Error + 'static)]) -> bool {
    causes.iter().any(|cause| {
        cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout)
            || cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout)
            || cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    })
}

fn obstacle_of_kind(kind: io::ErrorKind) -> Option<Obstacle> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some(Obstacle::ConnectionRefused),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => Some(Obstacle::ConnectionCut),
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::PermissionDenied => Some(Obstacle::Unreachable),
        _ => None,
    }
}

fn obstacle_of_tls(error: &rustls::Error, is_connect: bool) -> Obstacle {
    match error {
        rustls::Error::InvalidCertificate(certificate) => obstacle_of_certificate(certificate),
        rustls::Error::NoCertificatesPresented | rustls::Error::InvalidCertRevocationList(_) => Obstacle::CertificateOther,
        // A demand for a client's certificate comes as an alert after the handshake (RFC 8446 section 4.4.2.4).
        rustls::Error::AlertReceived(_) => Obstacle::Handshake,
        _ if is_connect => Obstacle::Handshake,
        _ => Obstacle::ConnectionCut,
    }
}

fn obstacle_of_certificate(error: &CertificateError) -> Obstacle {
    match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Obstacle::CertificateName,
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Obstacle::CertificateExpired,
        // A bad signature: the issuer has the name of a trusted one, and another key (a private authority made anew).
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Obstacle::CertificateUntrusted,
        _ => Obstacle::CertificateOther,
    }
}
