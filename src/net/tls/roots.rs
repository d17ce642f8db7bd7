//! The two sets of roots that a chain is held against.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

/// Mozilla's roots and this machine's own store. Cheap to clone.
///
/// [`Roots::system`] is the only set that the program itself uses: Mozilla's part is compiled
/// in and nothing in the environment changes it, while `SSL_CERT_FILE` and `SSL_CERT_DIR`
/// change the machine's part, as they do for other programs here. Tests put their own
/// authorities in both places with [`Roots::given`].
#[derive(Clone, Default)]
pub struct Roots(Option<Arc<Stores>>);

/// The stores themselves.
pub(super) struct Stores {
    pub(super) mozilla: RootCertStore,
    pub(super) machine: RootCertStore,
    /// The machine's roots as they are: a server may show one of them itself.
    pub(super) machine_certificates: Vec<CertificateDer<'static>>,
}

static SYSTEM: OnceLock<Stores> = OnceLock::new();

impl Roots {
    /// Mozilla's roots and this machine's store, which is read at first use.
    pub const fn system() -> Self {
        Self(None)
    }

    /// Other authorities in the place of Mozilla's and the machine's, as DER.
    pub fn given(mozilla: Vec<CertificateDer<'static>>, machine: Vec<CertificateDer<'static>>) -> Self {
        Self(Some(Arc::new(Stores::new(store(mozilla), machine))))
    }

    /// Reads the machine's store now, if that was not done yet.
    pub(super) fn load(&self) {
        let _ = self.stores();
    }

    /// Puts other authorities in the place of Mozilla's for this whole process, in which nothing
    /// was verified yet: the lab has an internet of its own, with a public authority of its own.
    /// No argument, file or variable of the program leads here.
    ///
    /// # Errors
    /// Gives the authorities back when the stores are in use already.
    pub fn replace_mozilla(by: Vec<CertificateDer<'static>>) -> Result<(), Vec<CertificateDer<'static>>> {
        let machine = rustls_native_certs::load_native_certs().certs;
        SYSTEM.set(Stores::new(store(by.clone()), machine)).map_err(|_| by)
    }

    pub(super) fn stores(&self) -> &Stores {
        self.0.as_deref().unwrap_or_else(|| {
            SYSTEM.get_or_init(|| {
                let mozilla = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
                // What cannot be read is not trusted; an empty store is told apart (`Trust::NoStore`).
                Stores::new(mozilla, rustls_native_certs::load_native_certs().certs)
            })
        })
    }
}

impl Stores {
    fn new(mozilla: RootCertStore, machine: Vec<CertificateDer<'static>>) -> Self {
        Self { mozilla, machine: store(machine.clone()), machine_certificates: machine }
    }
}

fn store(certificates: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    store
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Roots(given)" } else { "Roots(system)" })
    }
}
