//! Sounds that are made, not recorded: a voice where no engine that speaks is installed.

/// Samples per second.
const RATE: f32 = 16_000.0;

/// Returns something with the pitch and the formants of a vowel, which is heard as a voice: 16-bit samples of one channel
/// at 16 kHz.
pub fn vowel(seconds: f32) -> Vec<u8> {
    let count = (seconds * RATE) as usize;
    (0..count).flat_map(|at| sample(at as f32 / RATE).to_le_bytes()).collect()
}

/// Returns as many seconds without a sound.
pub fn silence(seconds: f32) -> Vec<u8> {
    vec![0; (seconds * RATE) as usize * 2]
}

fn sample(time: f32) -> i16 {
    let strength = |frequency: f32| {
        let near = |formant: f32| (-((frequency - formant) / 120.0).powi(2)).exp();
        near(700.0) + 0.7 * near(1_200.0) + 0.4 * near(2_600.0) + 0.02
    };
    let pitch = 120.0 + 8.0 * (time * 5.0).sin();
    let wave = |part: f32| strength(pitch * part) * (std::f32::consts::TAU * pitch * part * time).sin();
    let sum: f32 = (1_u8..30).map(|part| wave(f32::from(part))).sum();
    (sum * 4_000.0 * (1.0 + 0.3 * (time * 25.0).sin())).clamp(-30_000.0, 30_000.0) as i16
}
