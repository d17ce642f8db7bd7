//! An RTMP ingest: nginx-rtmp, and TLS in front of it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::peer::{Peer, Setup};

/// nginx that takes any key of `live` and records it, and of `closed` takes none. Its default of 1 MB a message
/// is less than a keyframe at 50 Mb/s. `more` are other blocks of its configuration.
pub fn nginx(listen: &str, more: &str) -> Setup {
    let config = format!(
        "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
        user root;
        daemon off; master_process off;
        worker_processes 1;
        pid nginx.pid;
        error_log error.log info;
        events {{ worker_connections 64; }}
        rtmp {{
            server {{
                listen {listen};
                max_message 16M;
                application live {{ live on; record all; record_path .; }}
                application closed {{ live on; deny publish all; }}
            }}
        }}
        {more}"
    );
    let peer = Peer::of("nginx", "nginx-light libnginx-mod-rtmp").file("nginx.conf", config);
    peer.args(["-p", ".", "-c", "nginx.conf", "-e", "error.log"])
}

/// TLS in front of the ingest at that port of loopback, with a certificate of its own; its port and certificate.
pub async fn secured(name: &str, ingest: u16) -> (u16, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut near) = acceptor.accept(stream).await else { return };
                let mut far = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, ingest)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (port, certificate)
}
