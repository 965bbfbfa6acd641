//! TLS as every connection of a run has it, to web and mail servers alike: 1.2 or later, the system's certificate authorities and those of
//! the settings. Knows no sockets.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use super::{NetworkError, Settings};

/// What every handshake goes by.
pub(super) fn client_config(settings: &Settings) -> Result<ClientConfig, NetworkError> {
    let mut roots = Vec::new();
    for path in &settings.ca_files {
        roots.extend(read_roots(path)?);
    }
    let trouble = |source| NetworkError::Tls { source };
    let provider = Arc::new(aws_lc_rs::default_provider());
    // the verifier that the HTTP client has by itself
    let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider)).map_err(trouble)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(trouble)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// The certificates of a PEM file; `None` where it holds none, or a broken one.
pub(super) fn parse_roots(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let mut roots = Vec::new();
    for der in CertificateDer::pem_slice_iter(pem) {
        let der = der.ok()?;
        RootCertStore::empty().add(der.clone()).ok()?;
        roots.push(der);
    }
    (!roots.is_empty()).then_some(roots)
}

fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, NetworkError> {
    let pem = std::fs::read(path).map_err(|source| NetworkError::CaFile { path: path.to_owned(), source })?;
    parse_roots(&pem).ok_or_else(|| NetworkError::CaFormat { path: path.to_owned() })
}
