//! What is read, what is refused, and that a change of rate keeps what was said.

use proptest::prelude::*;

use super::*;

fn tone(hertz: f64, rate: u32, seconds: f64) -> Vec<f32> {
    let count = (seconds * f64::from(rate)) as usize;
    let at = |i: usize| (2.0 * std::f64::consts::PI * hertz * i as f64 / f64::from(rate)).sin() * 0.5;
    (0..count).map(|i| at(i) as f32).collect()
}

fn pcm(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|&sample| to_sixteen_bits(sample).to_le_bytes()).collect()
}

fn loudness(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
}

fn problem(outcome: Result<Audio, SpeechError>) -> String {
    outcome.expect_err("it is refused").to_string()
}

#[test]
fn a_tone_of_any_usual_rate_is_the_same_tone_at_16_kilohertz() {
    for rate in RATES {
        let format = AudioFormat::sixteen_bits(rate);
        let audio = Audio::from_pcm(&pcm(&tone(440.0, rate, 1.0)), format, AudioLimits::default());
        let audio = audio.expect("it is taken");
        assert_eq!(audio.samples().len(), 16_000, "at {rate}");
        let wanted = tone(440.0, RATE, 1.0);
        // Both ends have silence beyond them, which the filter hears.
        let apart: Vec<f32> =
            audio.samples()[200..15_800].iter().zip(&wanted[200..15_800]).map(|(a, b)| a - b).collect();
        assert!(loudness(&apart) < 0.003, "at {rate}: {}", loudness(&apart));
    }
}

#[test]
fn what_16_kilohertz_cannot_hold_does_not_come_back_as_another_tone() {
    let format = AudioFormat::sixteen_bits(48_000);
    let audio = Audio::from_pcm(&pcm(&tone(10_000.0, 48_000, 1.0)), format, AudioLimits::default());
    assert!(loudness(&audio.expect("it is taken").samples()[200..15_800]) < 0.002);
}

#[test]
fn pieces_of_any_size_give_what_the_whole_gives() {
    let bytes = pcm(&tone(300.0, 44_100, 0.3));
    let format = AudioFormat::sixteen_bits(44_100);
    let whole = Audio::from_pcm(&bytes, format, AudioLimits::default()).expect("it is taken");
    for size in [1, 3, 7, 640, 4_096] {
        let mut reader = PcmReader::new(format, AudioLimits::default()).expect("it is taken");
        let mut samples = Vec::new();
        for piece in bytes.chunks(size) {
            samples.extend(reader.read(piece).expect("it is short"));
        }
        samples.extend(reader.finish().expect("it is whole"));
        assert_eq!(samples, whole.samples(), "in pieces of {size} bytes");
    }
}

#[test]
fn a_wav_file_is_read_back_as_written_even_where_its_length_was_not_known() {
    let audio = Audio::from_samples(tone(200.0, RATE, 0.1));
    let mut file = audio.to_wav();
    let read = Audio::from_wav(&file, AudioLimits::default()).expect("we wrote it");
    assert_eq!(read.to_pcm().len(), audio.to_pcm().len());
    // As espeak-ng writes it on standard output.
    file[40..44].copy_from_slice(&0x7FFF_F000_u32.to_le_bytes());
    assert_eq!(Audio::from_wav(&file, AudioLimits::default()).expect("to its end"), read);
}

#[test]
fn channels_are_averaged_and_floats_are_taken() {
    let format = AudioFormat { rate: RATE, width: 4, channels: 2 };
    let frames = [[0.5_f32, 0.1], [f32::NAN, -0.4], [9.0, 1.0]];
    let bytes: Vec<u8> = frames.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    let audio = Audio::from_wav(&write_wav(format, &bytes), AudioLimits::default()).expect("it is taken");
    assert_eq!(audio.samples(), [0.3, -0.2, 1.0]);
}

#[test]
fn what_cannot_be_heard_is_refused_with_what_to_send() {
    let limits = AudioLimits::default();
    assert_eq!(problem(Audio::from_wav(b"hello", limits)), "reading audio: it is no WAV file");
    let odd = AudioFormat::sixteen_bits(16_001);
    assert_eq!(
        problem(Audio::from_pcm(&[0; 4], odd, limits)),
        "reading audio: a rate of 16001 hertz is not taken; send one of 8000, 11025, 12000, 16000, 22050, 24000, \
         32000, 44100, 48000, 88200, 96000"
    );
    let eight = AudioFormat { rate: RATE, width: 1, channels: 1 };
    assert_eq!(
        problem(Audio::from_pcm(&[0; 4], eight, limits)),
        "reading audio: samples of 8 bits are not taken; send 16-bit integers"
    );
    let crowd = AudioFormat { rate: RATE, width: 2, channels: 99 };
    assert_eq!(
        problem(Audio::from_pcm(&[0; 4], crowd, limits)),
        "reading audio: 99 channels are not taken; send 1 to 8"
    );
    assert_eq!(
        problem(Audio::from_pcm(&[0; 3], AudioFormat::sixteen_bits(RATE), limits)),
        "reading audio: it ends with 1 bytes of a sample that is not whole"
    );
    let second = AudioLimits { longest: Duration::from_secs(1) };
    assert_eq!(
        problem(Audio::from_pcm(&[0; 32_002], AudioFormat::sixteen_bits(RATE), second)),
        "reading audio: it is longer than 1s; send shorter pieces"
    );
}

proptest! {
    #[test]
    fn garbage_is_refused_or_read_and_never_more(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Audio::from_wav(&bytes, AudioLimits::default());
        let mut file = write_wav(AudioFormat::sixteen_bits(RATE), &[0; 64]);
        for (place, byte) in bytes.iter().enumerate().take(60) {
            if byte % 3 == 0 {
                file[place] = *byte;
            }
        }
        let _ = Audio::from_wav(&file, AudioLimits::default());
    }
}
