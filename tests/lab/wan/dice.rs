//! Chance that repeats: `SplitMix64` of our own, so that a seed means the same for ever.

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Dice {
    /// The stream of one cause: one impairment's draws never change another's.
    pub fn new(seed: u64, cause: &str) -> Self {
        let mixed = cause.bytes().fold(mix(seed), |state, byte| mix(state ^ u64::from(byte)));
        Self { state: mixed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// At least 0, below 1.
    pub fn unit(&mut self) -> f64 {
        unit(self.next())
    }

    /// The number at a place in the stream, without walking there: what packet number `place`
    /// draws is the same whatever became of the others.
    pub fn unit_at(&self, place: u64) -> f64 {
        unit(mix(self.state.wrapping_add(STEP.wrapping_mul(place))))
    }

    /// True at so many places of a hundred.
    pub fn percent_at(&self, percent: f64, place: u64) -> bool {
        self.unit_at(place) * 100.0 < percent
    }

    /// Exponentially distributed about `mean`.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}
