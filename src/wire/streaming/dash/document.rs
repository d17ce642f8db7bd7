//! The elements of a manifest that golive reads (ISO/IEC 23009-1, 5); all others are passed over.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Mpd {
    #[serde(rename = "@type")]
    pub(super) kind: Option<String>,
    #[serde(rename = "@availabilityStartTime")]
    pub(super) available_from: Option<String>,
    #[serde(rename = "@minimumUpdatePeriod")]
    pub(super) update: Option<String>,
    #[serde(rename = "@mediaPresentationDuration")]
    pub(super) duration: Option<String>,
    #[serde(rename = "@suggestedPresentationDelay")]
    pub(super) delay: Option<String>,
    #[serde(rename = "BaseURL", default)]
    pub(super) base: Vec<Text>,
    #[serde(rename = "Period", default)]
    pub(super) periods: Vec<Period>,
}

#[derive(Deserialize)]
pub(super) struct Text {
    #[serde(rename = "$text", default)]
    pub(super) text: String,
}

#[derive(Deserialize)]
pub(super) struct Period {
    #[serde(rename = "@start")]
    pub(super) start: Option<String>,
    #[serde(rename = "@duration")]
    pub(super) duration: Option<String>,
    #[serde(rename = "BaseURL", default)]
    pub(super) base: Vec<Text>,
    #[serde(rename = "SegmentTemplate")]
    pub(super) template: Option<Template>,
    #[serde(rename = "AdaptationSet", default)]
    pub(super) sets: Vec<AdaptationSet>,
}

#[derive(Deserialize)]
pub(super) struct AdaptationSet {
    #[serde(rename = "@contentType")]
    pub(super) content: Option<String>,
    #[serde(rename = "@mimeType")]
    pub(super) mime: Option<String>,
    #[serde(rename = "BaseURL", default)]
    pub(super) base: Vec<Text>,
    #[serde(rename = "SegmentTemplate")]
    pub(super) template: Option<Template>,
    #[serde(rename = "Representation", default)]
    pub(super) representations: Vec<Representation>,
}

#[derive(Deserialize)]
pub(super) struct Representation {
    #[serde(rename = "@id", default)]
    pub(super) id: String,
    #[serde(rename = "@bandwidth", default)]
    pub(super) bandwidth: u64,
    #[serde(rename = "@width")]
    pub(super) width: Option<u32>,
    #[serde(rename = "@height")]
    pub(super) height: Option<u32>,
    #[serde(rename = "@mimeType")]
    pub(super) mime: Option<String>,
    #[serde(rename = "BaseURL", default)]
    pub(super) base: Vec<Text>,
    #[serde(rename = "SegmentTemplate")]
    pub(super) template: Option<Template>,
    #[serde(rename = "SegmentList")]
    pub(super) list: Option<List>,
}

#[derive(Deserialize)]
pub(super) struct List {
    #[serde(rename = "@duration")]
    pub(super) duration: Option<u64>,
    #[serde(rename = "@timescale")]
    pub(super) timescale: Option<u64>,
    #[serde(rename = "Initialization")]
    pub(super) init: Option<Initialization>,
    #[serde(rename = "SegmentURL", default)]
    pub(super) segments: Vec<SegmentUrl>,
}

#[derive(Deserialize)]
pub(super) struct Initialization {
    #[serde(rename = "@sourceURL")]
    pub(super) url: Option<String>,
    #[serde(rename = "@range")]
    pub(super) range: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SegmentUrl {
    #[serde(rename = "@media")]
    pub(super) media: Option<String>,
    #[serde(rename = "@mediaRange")]
    pub(super) range: Option<String>,
}

/// What stands on one level holds for those below it.
#[derive(Deserialize, Clone, Default)]
pub(super) struct Template {
    #[serde(rename = "@initialization")]
    pub(super) init: Option<String>,
    #[serde(rename = "@media")]
    pub(super) media: Option<String>,
    #[serde(rename = "@timescale")]
    pub(super) timescale: Option<u64>,
    #[serde(rename = "@duration")]
    pub(super) duration: Option<u64>,
    #[serde(rename = "@startNumber")]
    pub(super) start_number: Option<u64>,
    #[serde(rename = "SegmentTimeline")]
    pub(super) timeline: Option<Timeline>,
}

#[derive(Deserialize, Clone, Default)]
pub(super) struct Timeline {
    #[serde(rename = "S", default)]
    pub(super) runs: Vec<Run>,
}

/// Segments of the same length: `r` more after the first.
#[derive(Deserialize, Clone, Default)]
pub(super) struct Run {
    #[serde(rename = "@t")]
    pub(super) start: Option<u64>,
    #[serde(rename = "@d", default)]
    pub(super) length: u64,
    #[serde(rename = "@r", default)]
    pub(super) more: i64,
}

impl Template {
    pub(super) fn below(upper: Option<&Self>, lower: Option<&Self>) -> Option<Self> {
        let (upper, lower) = match (upper, lower) {
            (Some(upper), Some(lower)) => (upper.clone(), lower.clone()),
            (one, other) => return one.or(other).cloned(),
        };
        Some(Self {
            init: lower.init.or(upper.init),
            media: lower.media.or(upper.media),
            timescale: lower.timescale.or(upper.timescale),
            duration: lower.duration.or(upper.duration),
            start_number: lower.start_number.or(upper.start_number),
            timeline: lower.timeline.or(upper.timeline),
        })
    }
}
