//! The far end as a notary: which key does a host show when it is looked at from there?

use std::time::Duration;

use tokio::time::timeout;

use super::{Control, Lost, nonsense, refused, trouble};
use crate::model::{Failure, NotMeasured, WireText};
use crate::wire::control::{Refusal, Reply, Request, Sight};

/// The far end looks at several addresses side by side, each for some seconds.
const LOOK: Duration = Duration::from_secs(16);

impl Control {
    /// Asks which key the far end sees at a host when it asks for `server_name`.
    ///
    /// # Errors
    /// Why it cannot say: it is too old for the question, or does not look at this host.
    pub async fn notary(
        &mut self,
        host: &str,
        port: u16,
        server_name: &str,
    ) -> Result<Vec<Sight>, NotMeasured> {
        let shown = self.remote().to_string();
        let request = Request::Notary { host: host.to_owned(), port, server_name: server_name.to_owned() };
        self.send(&request).await.map_err(|lost| lost.at(&shown))?;
        match timeout(LOOK, self.next()).await {
            Ok(Ok(Reply::Seen { sights })) => Ok(sights),
            // What it does not know it calls a bad request.
            Ok(Ok(Reply::Refuse { why: Refusal::BadRequest, .. })) => Err(trouble(
                format!("the far end {shown} is older than this question"),
                "update golive where `golive far-end` runs",
            )),
            Ok(Ok(Reply::Refuse { why: Refusal::NotOffered, .. })) => Err(trouble(
                format!("the far end {shown} looks at no host for others"),
                &format!("start it with `golive far-end --notary {}`", WireText::from(host)),
            )),
            Ok(Ok(Reply::Refuse { why, detail })) => Err(refused(&shown, why, &detail)),
            Ok(Ok(_)) => Err(nonsense(&shown)),
            Ok(Err(lost)) => Err(lost.at(&shown)),
            Err(_) => Err(Lost { failure: Failure::TimedOut, detail: WireText::default() }.at(&shown)),
        }
    }
}
