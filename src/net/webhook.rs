//! Posts JSON to an address that somebody else gave: bounded in time, size and attempts.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use serde_json::Value;
use url::Url;

use super::ticket::{BadPlace, Patience, bearer, place, reason, requests};
use crate::model::{Secret, WireText};

/// Longest words of a refusal that are read, in bytes.
const MOST_SAID: usize = 4096;

/// Where messages go to. The address may be a secret by itself (chat services put a token there): it is
/// never shown, only its host.
pub struct Webhook {
    http: reqwest::Client,
    url: Url,
    token: Option<Secret>,
    patience: Patience,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.host())
    }
}

/// Four attempts within some 20 s: an alert that is older helps nobody.
pub const PATIENCE: Patience = Patience {
    attempts: 4,
    pause: Duration::from_millis(500),
    longest: Duration::from_secs(10),
    limit: Duration::from_secs(5),
};

/// Whether another attempt can help, and after how long if the server says so.
enum Trouble {
    Passing(String, Option<Duration>),
    Final(String),
}

impl Webhook {
    /// To an `https://` address, or an `http://` one of this machine, with a token sent as Bearer.
    ///
    /// # Errors
    /// An address that would send the message or the token for others to read, or no TLS.
    pub fn new(address: &Secret, token: Option<Secret>, patience: Patience) -> Result<Self, BadWebhook> {
        let url = place::checked(address.reveal())?;
        let http = requests(place::loopback(&url), patience.limit).map_err(BadWebhook::Unready)?;
        Ok(Self { http, url, token, patience })
    }

    /// The host, for messages.
    pub fn host(&self) -> String {
        WireText::from(self.url.host_str().unwrap_or_default().to_owned()).as_str().to_owned()
    }

    /// Posts a message; the attempts that it took.
    ///
    /// # Errors
    /// Why it was not taken, in words without the address.
    pub async fn deliver(&self, message: &Value) -> Result<u32, String> {
        let mut pause = self.patience.pause;
        for attempt in 1..=self.patience.attempts.max(1) {
            let (why, asked) = match self.once(message).await {
                Ok(()) => return Ok(attempt),
                Err(Trouble::Final(why)) => return Err(why),
                Err(Trouble::Passing(why, asked)) => (why, asked),
            };
            let wait = asked.unwrap_or(pause);
            if attempt == self.patience.attempts || wait > self.patience.longest {
                return Err(format!("{why} (attempt {attempt})"));
            }
            tokio::time::sleep(wait).await;
            pause = pause.saturating_mul(2);
        }
        Err("it was tried as often as is reasonable".to_owned())
    }

    async fn once(&self, message: &Value) -> Result<(), Trouble> {
        let request = self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let mut request = request.body(message.to_string());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, bearer(token).map_err(Trouble::Final)?);
        }
        let mut response = request.send().await.map_err(|error| Trouble::Passing(reason(error), None))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let said = match response.chunk().await {
            Ok(Some(chunk)) => WireText::from_bytes(chunk.get(..MOST_SAID).unwrap_or(&chunk)),
            _ => WireText::default(),
        };
        let words = if said.is_empty() { String::new() } else { format!(": {}", said.as_str().trim()) };
        let why = format!("{} answers {status}{words}", self.host());
        if status.as_u16() == 429 || status.is_server_error() {
            Err(Trouble::Passing(why, asked.map(Duration::from_secs)))
        } else {
            Err(Trouble::Final(why))
        }
    }
}

/// A webhook that cannot be used. Never holds the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWebhook {
    /// The address.
    #[error(transparent)]
    Address(#[from] BadPlace),
    /// This machine.
    #[error("HTTPS cannot be prepared: {0}; check this machine's certificates and its proxy variables")]
    Unready(String),
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const CANARY: &str = "canary-7f3a9c";

    /// Answers each connection with the next of these, then with nothing at all; counts them.
    async fn serve(answers: &'static [&'static str]) -> (String, Arc<AtomicUsize>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/{CANARY}?sig={CANARY}", listener.local_addr().unwrap());
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                match answers.get(counted.fetch_add(1, Ordering::SeqCst)) {
                    Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                    None => held.push(stream),
                }
            }
        });
        (url, count)
    }

    const QUICK: Patience = Patience {
        attempts: 3,
        pause: Duration::from_millis(1),
        longest: Duration::from_secs(1),
        limit: Duration::from_millis(400),
    };

    async fn delivered(answers: &'static [&'static str]) -> (Result<u32, String>, usize) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (url, count) = serve(answers).await;
        let webhook = Webhook::new(&Secret::from(url), None, QUICK).unwrap();
        let said = webhook.deliver(&json!({ "a": 1 })).await;
        assert!(!format!("{said:?} {webhook:?}").contains(CANARY), "{said:?}");
        (said, count.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_is_refused_is_not() {
        const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        const TAKEN: &str = "HTTP/1.1 204 Taken\r\nConnection: close\r\n\r\n";
        const REFUSED: &str =
            "HTTP/1.1 403 No\r\nContent-Length: 9\r\nConnection: close\r\n\r\nno \u{1b}[31mway";
        const LATER: &str =
            "HTTP/1.1 429 Later\r\nRetry-After: 3600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        const ELSEWHERE: &str = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        assert_eq!(delivered(&[BUSY, TAKEN]).await, (Ok(2), 2));
        let (refused, sent) = delivered(&[REFUSED, TAKEN]).await;
        let why = refused.unwrap_err();
        assert!(sent == 1 && why.contains("403") && why.contains("no \\u{1b}[31m"), "{why}");
        assert_eq!(delivered(&[LATER, TAKEN]).await.1, 1, "nobody waits for an hour");
        let (moved, sent) = delivered(&[ELSEWHERE, TAKEN]).await;
        assert!(sent == 1 && moved.unwrap_err().contains("302"), "a token goes nowhere else");
        assert_eq!(delivered(&[BUSY; 9]).await.1, 3);
    }

    #[tokio::test]
    async fn who_says_nothing_is_not_waited_for() {
        let (said, sent) = delivered(&[]).await;
        assert!(said.unwrap_err().contains("attempt 3") && sent == 3);
    }

    #[test]
    fn an_address_that_others_can_read_is_refused() {
        for text in
            ["http://chat.example/canary-7f3a9c", "canary-7f3a9c", "https://u:canary-7f3a9c@chat.example"]
        {
            let refused = Webhook::new(&Secret::from(text.to_owned()), None, QUICK).unwrap_err();
            assert!(!refused.to_string().contains(CANARY), "{refused}");
        }
    }
}
