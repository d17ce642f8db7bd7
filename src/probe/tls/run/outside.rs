//! Asks the far end: first whether TLS arrives there as it left here, then what it sees of the host.

use crate::model::{Cause, FarEnd, FarEndName, NotMeasured};
use crate::net::far_end::{self, Control, Echoed};
use crate::probe::Env;
use crate::probe::tls::Target;
use crate::probe::tls::outside::{Arrived, Echo, Met, Notary, Outside};

pub(super) async fn ask(target: &Target, env: &Env) -> Option<Outside> {
    let name = target.far_end.as_ref()?;
    let Some(far_end) = env.far_ends.get(name) else {
        let unknown = NotMeasured::new(
            Cause::FarEnd,
            format!("the policy has no far end {name}"),
            "name one of the policy's far ends",
        );
        return Some(outside(name, Notary::Silent(unknown.clone()), Echo::Silent(unknown)));
    };
    let (echo, notary) = tokio::join!(Box::pin(echo(far_end, env)), Box::pin(notary(target, far_end, env)));
    Some(outside(name, notary, echo))
}

fn outside(name: &FarEndName, notary: Notary, echo: Echo) -> Outside {
    Outside { far_end: name.clone(), notary, echo }
}

async fn echo(far_end: &FarEnd, env: &Env) -> Echo {
    match far_end::echo(far_end, &env.source, &env.origin, &env.roots).await {
        Err(why) => Echo::Silent(why),
        Ok(Echoed { contact, identity, pinned, sent, arrived }) => {
            let arrived = match arrived {
                Ok(Some(hello)) => Arrived::Hello(hello),
                Ok(None) => Arrived::Unreadable,
                Err(why) => Arrived::Unsaid(why),
            };
            Echo::Met(Box::new(Met { contact, identity, pinned, sent, arrived }))
        }
    }
}

async fn notary(target: &Target, far_end: &FarEnd, env: &Env) -> Notary {
    let look = async {
        let mut control = Control::connect(far_end, &env.source, &env.origin).await?;
        control.notary(&target.host, target.port, target.name()).await
    };
    look.await.map_or_else(Notary::Silent, Notary::Saw)
}
