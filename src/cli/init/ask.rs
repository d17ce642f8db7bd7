//! The questions, at a terminal: what was given as an argument is not asked.

use std::io::{BufRead, Write};

use super::Args;
use super::answers::{Answers, OTHER, Platform, Wanted, usage, when, zone};
use crate::model::text::escape;
use crate::policy::BUILTINS;

/// Longest answer, in characters.
const MAX_ANSWER: usize = 400;

/// Asks line by line.
pub(super) struct Asker<R, W> {
    input: R,
    out: W,
}

impl<R: BufRead, W: Write> Asker<R, W> {
    pub fn new(input: R, out: W) -> Self {
        Self { input, out }
    }

    fn say(&mut self, text: &str) -> std::io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// One line; `None` when it is empty.
    fn line(&mut self, question: &str) -> anyhow::Result<Option<String>> {
        write!(self.out, "{question} ")?;
        self.out.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            return Err(usage("the answers ended before the questions; nothing was written"));
        }
        let line = line.trim();
        Ok((!line.is_empty()).then(|| line.to_owned()))
    }

    /// Asks until the answer is good; an empty line is the default, where there is one.
    fn until<T>(
        &mut self,
        question: &str,
        default: Option<&str>,
        good: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        let question = match default {
            Some(default) => format!("{question} [{default}]:"),
            None => format!("{question}:"),
        };
        loop {
            let given = self.line(&question)?;
            let told = match given.as_deref().or(default) {
                None => Err("this must be known".to_owned()),
                Some(answer)
                    if answer.chars().count() > MAX_ANSWER || answer.chars().any(char::is_control) =>
                {
                    Err(format!("one line of at most {MAX_ANSWER} characters"))
                }
                Some(answer) => good(answer),
            };
            match told {
                Ok(value) => return Ok(value),
                Err(why) => self.say(&format!("  {}", escape(&why)))?,
            }
        }
    }

    fn must(&mut self, slot: &mut Option<String>, question: &str) -> anyhow::Result<()> {
        if slot.is_none() {
            *slot = Some(self.until(question, None, |answer| Ok(answer.to_owned()))?);
        }
        Ok(())
    }

    /// An empty line is no answer, which is one.
    fn may(&mut self, slot: &mut Option<String>, question: &str) -> anyhow::Result<()> {
        if slot.is_none() {
            let none = "none";
            let answer = self.until(question, Some(none), |answer| Ok(answer.to_owned()))?;
            *slot = (answer != none).then_some(answer);
        }
        Ok(())
    }
}

/// Asks for what the arguments leave open.
pub(super) fn complete<R: BufRead, W: Write>(
    args: &Args,
    asker: &mut Asker<R, W>,
) -> anyhow::Result<Answers> {
    let mut args = args.clone();
    asker.say("A policy to begin with. An empty line takes what stands in [ ].\n")?;
    let (platforms, at_most) = platforms(&args, asker)?;
    event(&mut args, asker)?;
    if args.video_kbps.is_none() {
        let default = at_most.unwrap_or(6000).min(6000).to_string();
        let kbps = asker.until("Bit rate of the video, kb/s", Some(&default), |answer| {
            let kbps: u64 = answer.parse().map_err(|_| "a number of kb/s, such as 6000".to_owned())?;
            match at_most {
                Some(most) if kbps > most => Err(format!("the platform takes {most} kb/s at most")),
                _ => Ok(kbps),
            }
        })?;
        args.video_kbps = Some(kbps);
    }
    people(&mut args, asker)?;
    ways(&mut args, asker)?;
    Answers::with(&args, platforms)
}

/// The platforms, and the most video that all of them take.
fn platforms<R: BufRead, W: Write>(
    args: &Args,
    asker: &mut Asker<R, W>,
) -> anyhow::Result<(Vec<Platform>, Option<u64>)> {
    let find = |names: &mut dyn Iterator<Item = &str>| names.map(Wanted::find).collect::<Result<Vec<_>, _>>();
    let wanted = if args.platforms.is_empty() {
        let known: Vec<&str> =
            BUILTINS.iter().filter_map(|(name, _)| name.strip_prefix("platforms/")).collect();
        asker.say(&format!("Platforms: {}; or {OTHER}.", known.join(", ")))?;
        asker.until("Where does the stream go? Several with commas", Some("youtube"), |answer| {
            find(&mut answer.split(',').map(str::trim))
        })?
    } else {
        find(&mut args.platforms.iter().map(String::as_str)).map_err(usage)?
    };
    let at_most = wanted.iter().filter_map(Wanted::video_at_most_kbps).min();
    let mut given = args.ingests.iter();
    let mut platforms = Vec::new();
    for one in wanted {
        let mut urls = Vec::new();
        for check in one.ingests() {
            urls.push(match given.next() {
                Some(url) => url.clone(),
                None => asker.until(
                    &format!(
                        "Address of {} ({check}), without the key, such as rtmps://host:443/app",
                        one.name
                    ),
                    None,
                    |answer| {
                        let known =
                            ["rtmp://", "rtmps://", "srt://"].iter().any(|scheme| answer.starts_with(scheme));
                        if known {
                            Ok(answer.to_owned())
                        } else {
                            Err("it begins rtmps://, rtmp:// or srt://".to_owned())
                        }
                    },
                )?,
            });
        }
        platforms.push(one.with(&urls));
    }
    Ok((platforms, at_most))
}

fn event<R: BufRead, W: Write>(args: &mut Args, asker: &mut Asker<R, W>) -> anyhow::Result<()> {
    asker.must(&mut args.title, "What is going live? Its title")?;
    let zone = zone(args.time_zone.as_deref()).map_err(usage)?;
    let name = zone.iana_name().unwrap_or("this machine's time zone").to_owned();
    for (slot, question) in [(&mut args.starts, "When does it start"), (&mut args.ends, "When does it end")] {
        if slot.is_none() {
            let question = format!("{question}, such as 2026-12-04 14:00 ({name})");
            *slot = Some(asker.until(&question, None, |answer| when(answer, &zone))?);
        }
    }
    asker.may(&mut args.venue, "Where does it take place")
}

fn people<R: BufRead, W: Write>(args: &mut Args, asker: &mut Asker<R, W>) -> anyhow::Result<()> {
    asker.must(&mut args.it, "Who answers for the network, and allows that it is probed? A name")?;
    asker.must(&mut args.marketing, "Who answers for the brand? A name")?;
    asker.may(&mut args.provider, "Who produces the stream? A name; none: marketing's own staff")?;
    asker.may(&mut args.change, "Change request or mail by which the network may be probed")
}

fn ways<R: BufRead, W: Write>(args: &mut Args, asker: &mut Asker<R, W>) -> anyhow::Result<()> {
    if !args.corporate_lan {
        args.corporate_lan =
            asker.until("Is it a company's own network? yes or no", Some("no"), |answer| match answer {
                "yes" | "y" => Ok(true),
                "no" | "n" => Ok(false),
                _ => Err("yes or no".to_owned()),
            })?;
    }
    asker.may(&mut args.interface, "Interface of the way out, such as eth0; none: the system's")?;
    asker.may(&mut args.backup_interface, "Interface of a second way out, such as wwan0")?;
    asker.may(&mut args.far_end, "Far end, HOST:PORT as `golive far-end` prints it")?;
    if args.far_end.is_some() {
        asker.must(&mut args.pin, "Its pin, as it prints it")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(args: &Args, lines: &str) -> (anyhow::Result<Answers>, String) {
        let mut shown = Vec::new();
        let answers = complete(args, &mut Asker::new(lines.as_bytes(), &mut shown));
        (answers, String::from_utf8(shown).unwrap())
    }

    #[test]
    fn what_is_given_is_not_asked_and_what_is_wrong_is_asked_again() {
        let args = Args {
            platforms: vec!["amazon-ivs".to_owned()],
            time_zone: Some("Europe/Berlin".to_owned()),
            it: Some("Ida".to_owned()),
            ..Args::default()
        };
        let lines = "ftp://x\nrtmps://a.live-video.net:443/app/\n\nLaunch\ntomorrow\n2026-12-04 14:00\n\
                     2026-12-04T15:30:00+01:00\n\nfast\n9000\n8000\nMark\n\n\nyes\neth0\n\n\n";
        let (answers, shown) = answered(&args, lines);
        let answers = answers.unwrap_or_else(|error| panic!("{error}\n{shown}"));
        assert_eq!(answers.title, "Launch");
        assert_eq!(answers.starts, "2026-12-04T14:00:00+01:00");
        assert_eq!((answers.video_kbps, answers.audio_kbps), (8000, 128));
        assert_eq!(answers.platforms[0].to, "rtmps://a.live-video.net:443/app/");
        assert!(answers.corporate_lan && answers.provider.is_none() && answers.far_end.is_none());
        for told in
            ["it begins rtmps://", "this must be known", "no time such as", "8500 kb/s at most", "[none]"]
        {
            assert!(shown.contains(told), "{told}: {shown}");
        }
        assert!(!shown.contains("answers for the network"), "{shown}");
    }

    #[test]
    fn an_end_of_the_answers_ends_the_questions() {
        let (answers, _) = answered(&Args::default(), "youtube\n");
        assert!(answers.unwrap_err().to_string().contains("nothing was written"));
    }
}
