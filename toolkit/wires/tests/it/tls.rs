//! Links over TLS: who is believed, and what is said to and of those who are not.

use std::sync::Arc;

use axum::Router;
use ieum_core::{Code, Cx, Fault, system_clock};
use ieum_wires::modes::router;
use ieum_wires::open::{LinkOptions, open_link};
use ieum_wires::serve::{ServeOptions, serve};
use ieum_wires::tls::{Identity, PeerIdentity, TlsError, TlsFiles, TlsListener};
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::sample::{Answerer, DESK_CONTRACT, Desk, DeskClient, Nothing, TALK_CONTRACT, Talk, TalkClient};
use crate::suite::{soon, words};

/// An authority that signs certificates into a folder.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("has no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two authorities of one name would be told apart by their signatures only.
        params.distinguished_name.push(DnType::CommonName, ieum_core::new_id().to_string());
        let key = KeyPair::generate().expect("makes a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("signs itself");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("authorities.pem"), issuer.pem()).expect("is written");
        Self { issuer, folder }
    }

    /// Signs a certificate for `name` as `change` wants it, and trusts the authority of `trusted`.
    fn sign(&self, name: &str, trusted: &Self, change: impl FnOnce(&mut CertificateParams)) -> TlsFiles {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("is a name");
        change(&mut params);
        let key = KeyPair::generate().expect("makes a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("is signed");
        let path = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        std::fs::write(path("pem"), certificate.pem()).expect("is written");
        std::fs::write(path("key"), key.serialize_pem()).expect("is written");
        let authorities = trusted.folder.path().join("authorities.pem");
        TlsFiles { certificate: path("pem"), key: path("key"), authorities }
    }

    fn identity(&self, name: &str) -> Identity {
        Identity::read(&self.sign(name, self, |_| ())).expect("reads")
    }
}

/// Serves the sample contracts as `identity` and notes who called.
async fn start(identity: &Identity) -> (u16, Arc<Mutex<Vec<Option<PeerIdentity>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let port = listener.local_addr().expect("is bound").port();
    let listener = TlsListener::new(listener, identity, system_clock()).expect("has an address");
    let callers = Arc::new(Mutex::new(Vec::new()));
    let noted = callers.clone();
    let note = move |request: axum::extract::Request| {
        noted.lock().push(request.extensions().get::<PeerIdentity>().cloned());
        request
    };
    let routed = router(Answerer::default().routes(), system_clock());
    let noting = Router::new().fallback_service(tower::ServiceExt::map_request(routed, note));
    let forever = std::future::pending();
    tokio::spawn(serve(listener, noting, forever, ServeOptions::default(), system_clock()));
    (port, callers)
}

/// Calls over both wires as `identity` and returns what came of it.
async fn look(host: &str, port: u16, identity: &Identity) -> [Result<(), Fault>; 2] {
    let options = LinkOptions { identity: Some(identity.clone()), ..LinkOptions::default() };
    let mut came = Vec::new();
    for scheme in ["https", "grpcs"] {
        let url = format!("{scheme}://{host}:{port}");
        let opened = open_link(&url, &DESK_CONTRACT, &options, system_clock()).expect("opens");
        let desk = DeskClient::new(opened.link);
        came.push(soon("the answer", desk.look(&Cx::root(), Nothing {})).await.map(drop));
    }
    came.try_into().expect("are two")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_trust_one_authority_meet_over_both_wires() {
    let authority = Authority::new();
    let (port, callers) = start(&authority.identity("localhost")).await;
    let caller = authority.identity("partners.internal");
    assert_eq!(look("localhost", port, &caller).await, [Ok(()), Ok(())]);
    for caller in callers.lock().iter() {
        let names = &caller.as_ref().expect("showed a certificate").names;
        assert_eq!(**names, ["partners.internal".to_owned()]);
    }
    let options = LinkOptions { identity: Some(caller), ..LinkOptions::default() };
    let url = format!("grpcs://localhost:{port}");
    let talk = open_link(&url, &TALK_CONTRACT, &options, system_clock()).expect("opens").link;
    let said = TalkClient::new(talk).echo(&Cx::root(), words(&["하나", "둘"])).await.expect("opens");
    let said: Vec<_> = soon("the words", futures::StreamExt::collect(said)).await;
    assert_eq!(said.len(), 2, "streams are carried too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_callers_share_the_port_and_prove_nothing() {
    let (port, callers) = start(&Authority::new().identity("localhost")).await;
    for scheme in ["http", "grpc"] {
        let url = format!("{scheme}://127.0.0.1:{port}");
        let opened = open_link(&url, &DESK_CONTRACT, &LinkOptions::default(), system_clock());
        let desk = DeskClient::new(opened.expect("opens").link);
        soon("the answer", desk.look(&Cx::root(), Nothing {})).await.expect("answers");
    }
    assert_eq!(*callers.lock(), [None, None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_who_was_called_is_refused_with_what_did_not_fit() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let caller = authority.identity("caller");
    let strange = Identity::read(&stranger.sign("localhost", &authority, |_| ())).expect("reads");
    let expired = Identity::read(&authority.sign("localhost", &authority, |params| {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    }));
    let other = authority.identity("stock.internal");
    for (server, words) in [
        (strange, "UnknownIssuer"),
        (expired.expect("reads"), "certificate expired"),
        (other, "not valid for name \"localhost\""),
    ] {
        let (port, callers) = start(&server).await;
        for came in look("localhost", port, &caller).await {
            let fault = came.expect_err("is refused");
            assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, "link.certificate"));
            let tried = format!("agreeing on TLS with localhost:{port}");
            assert!(fault.message.contains(&tried) && fault.message.contains(words), "{fault}");
        }
        assert!(callers.lock().is_empty(), "nothing was sent");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_whose_certificate_does_not_count_is_told_so() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (port, callers) = start(&authority.identity("localhost")).await;
    let strange = stranger.sign("caller", &authority, |_| ());
    let expired = authority.sign("late", &authority, |params| {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    });
    for (files, word) in [(strange, "UnknownCA"), (expired, "CertificateExpired")] {
        for came in look("localhost", port, &Identity::read(&files).expect("reads")).await {
            let fault = came.expect_err("is refused");
            assert_eq!((fault.code, &*fault.reason), (Code::Unauthenticated, "link.certificate_refused"));
            assert!(
                fault.message.contains("sample.desk/look")
                    && fault.message.contains(&format!("localhost:{port} refused"))
                    && fault.message.contains(word),
                "{fault}"
            );
        }
    }
    assert!(callers.lock().is_empty(), "no request came through");
}

#[test]
fn files_that_make_no_identity_are_named() {
    let authority = Authority::new();
    let right = authority.sign("one", &authority, |_| ());
    let other = authority.sign("two", &authority, |_| ());
    let nothing = authority.folder.path().join("nothing.pem");
    let read = |files: TlsFiles| Identity::read(&files).expect_err("is refused");
    let missing = read(TlsFiles { certificate: nothing.clone(), ..right.clone() });
    assert!(matches!(missing, TlsError::Read { what: "certificate", .. }), "{missing}");
    std::fs::write(&nothing, "no certificate").expect("is written");
    let empty = read(TlsFiles { authorities: nothing.clone(), ..right.clone() });
    assert!(matches!(empty, TlsError::Empty { what: "authorities", .. }), "{empty}");
    let no_key = read(TlsFiles { key: nothing, ..right.clone() });
    assert!(no_key.to_string().contains("reading the key in"), "{no_key}");
    let mixed = read(TlsFiles { key: other.key, ..right });
    assert!(matches!(mixed, TlsError::Pair { .. }), "{mixed}");
}
