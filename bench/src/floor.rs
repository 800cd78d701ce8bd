//! The floor: the HTTP stack of the server, set up as in `crates/server/src/http/server.rs`, answering the same bytes with
//! a signature and nothing else. No routing, no store, no check, no log. What a real server does is divided by this.

use std::{convert::Infallible, fs, io::Write as _, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Request, Response, StatusCode, body::Incoming, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use crate::tls;

const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Serve one answer to whatever is asked
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A file with the answer: a whole HTTP response, as the real server sent it
    #[arg(long)]
    answer: PathBuf,
    /// What to sign the token in the answer with
    #[arg(long, value_enum, default_value_t)]
    signature: Signature,
    /// The certificate to serve TLS with, in PEM form
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
}

/// What the floor signs with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Signature {
    /// Nothing: the answer is constant.
    #[default]
    Constant,
    /// Ed25519.
    Eddsa,
    /// ECDSA with P-256.
    Es256,
    /// RSA with 2048 bits.
    Rs256,
}

impl Signature {
    /// As the table calls a floor with it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Eddsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// Serves until it is killed.
pub(crate) async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let acceptor = match (&arguments.certificate, &arguments.key) {
        (Some(certificate), Some(key)) => {
            Some(TlsAcceptor::from(tls::server_config(certificate, key)?))
        }
        _ => None,
    };
    let answer = Arc::new(Answer::read(&arguments.answer, arguments.signature)?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    let address = listener.local_addr()?;
    writeln!(
        std::io::stdout(),
        "floor is serving on {scheme}://{address}"
    )?;

    // Nobody stops it, but the server's connections listen whether somebody does.
    let stop = watch::Sender::new(());
    loop {
        let (stream, _) = listener.accept().await?;
        let (answer, acceptor, stopping) =
            (Arc::clone(&answer), acceptor.clone(), stop.subscribe());
        tokio::spawn(async move {
            let socket = socket2::SockRef::from(&stream);
            let set = socket.set_tcp_user_timeout(Some(WRITE_TIMEOUT));
            if set.is_err() || stream.set_nodelay(true).is_err() {
                return;
            }
            match acceptor {
                None => serve_connection::<TcpStream>(stream, answer, stopping).await,
                Some(acceptor) => {
                    // A client that breaks off a handshake is its own affair.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve_connection(stream, answer, stopping).await;
                    }
                }
            }
        });
    }
}

async fn serve_connection<S>(stream: S, answer: Arc<Answer>, mut stopping: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = Arc::clone(&answer);
        async move {
            // The load is ours and breaks nothing off.
            let _ = request.into_body().collect().await;
            Ok::<_, Infallible>(answer.make())
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(100)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    // How a connection ends is the load's affair.
    tokio::select! {
        biased;
        _ = connection => {}
        _ = stopping.changed() => {}
    }
}

/// The one answer.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    signer: Option<Signer>,
}

/// What makes the signature of the token in the body, and where it stands there.
struct Signer {
    key: Key,
    message: std::ops::Range<usize>,
    signature: std::ops::Range<usize>,
}

enum Key {
    Eddsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rs256(rsa::KeyPair),
}

impl Answer {
    fn read(path: &PathBuf, signature: Signature) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the answer in {}", path.display()))?;
        let (head, body) = text
            .split_once("\r\n\r\n")
            .context("the answer has no end of its head")?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            // hyper writes these itself, here as there.
            if !matches!(name, "content-length" | "date" | "transfer-encoding") {
                headers.append(hyper::header::HeaderName::try_from(name)?, value.parse()?);
            }
        }
        let signer = match signature {
            Signature::Constant => None,
            _ => Some(Signer::find(body, signature)?),
        };
        Ok(Self {
            status: status.context("the answer has no status")?.parse()?,
            headers,
            body: Bytes::from(body.to_owned()),
            signer,
        })
    }

    fn make(&self) -> Response<Full<Bytes>> {
        let body = match &self.signer {
            None => self.body.clone(),
            Some(signer) => signer.sign(&self.body),
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }
}

impl Signer {
    /// Finds the JWT in the body. The key is a new one: nobody verifies what the floor signs.
    fn find(body: &str, signature: Signature) -> anyhow::Result<Self> {
        const MEMBER: &str = r#""access_token":""#;
        let start = body
            .find(MEMBER)
            .context("the answer has no access token")?
            + MEMBER.len();
        let end = start
            + body[start..]
                .find('"')
                .context("the access token has no end")?;
        let dot = start
            + body[start..end]
                .rfind('.')
                .context("the access token is no JWT")?;
        let random = SystemRandom::new();
        let key = match signature {
            Signature::Constant | Signature::Eddsa => Key::Eddsa(Ed25519KeyPair::generate()?),
            Signature::Es256 => {
                let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random)?;
                Key::Es256(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref())?)
            }
            Signature::Rs256 => Key::Rs256(rsa::KeyPair::generate(KeySize::Rsa2048)?),
        };
        Ok(Self {
            key,
            message: start..dot,
            signature: dot + 1..end,
        })
    }

    fn sign(&self, body: &Bytes) -> Bytes {
        let message = &body[self.message.clone()];
        let random = SystemRandom::new();
        let mut signed = String::with_capacity(body.len());
        // The body was text when it was read, and is cut between characters of ASCII.
        signed.push_str(std::str::from_utf8(&body[..self.signature.start]).unwrap_or_default());
        match &self.key {
            Key::Eddsa(key) => {
                BASE64_URL_SAFE_NO_PAD.encode_string(key.sign(message), &mut signed);
            }
            Key::Es256(key) => {
                if let Ok(signature) = key.sign(&random, message) {
                    BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut signed);
                }
            }
            Key::Rs256(key) => {
                let mut signature = [0; 256];
                if key
                    .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .is_ok()
                {
                    BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut signed);
                }
            }
        }
        signed.push_str(std::str::from_utf8(&body[self.signature.end..]).unwrap_or_default());
        Bytes::from(signed)
    }
}
