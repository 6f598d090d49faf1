//! What the workspace really looks like: its crates by folder, and the first lines of its files.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::rules::Member;
use crate::failure::{Failure, Tried};
use crate::shell;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    kind: Option<String>,
    path: Option<PathBuf>,
}

/// Asks cargo for the crates below `root` and who knows whom.
///
/// # Errors
/// When cargo fails or answers in an unknown form.
pub fn members(root: &Path) -> Result<Vec<Member>, Failure> {
    let mut command = shell::cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let text = shell::read("cargo metadata", &mut command)?;
    let metadata: Metadata = serde_json::from_str(&text).tried("reading the answer of cargo metadata")?;
    let folder = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    let mut members: Vec<Member> = metadata
        .packages
        .iter()
        .map(|package| {
            let of = |for_tests: bool| {
                let wanted = package
                    .dependencies
                    .iter()
                    .filter(move |other| (other.kind.as_deref() == Some("dev")) == for_tests);
                wanted.filter_map(|other| other.path.as_deref()).map(folder).collect()
            };
            let home = package.manifest_path.parent().unwrap_or(root);
            Member { folder: folder(home), knows: of(false), tests_know: of(true) }
        })
        .collect();
    members.sort_by(|one, other| one.folder.cmp(&other.folder));
    Ok(members)
}

/// Returns a sentence for each source file whose first line does not say what it is for.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn files_without_purpose(root: &Path, members: &[Member]) -> Result<Vec<String>, Failure> {
    let mut sentences = Vec::new();
    for member in members {
        for room in ["src", "tests", "benches", "examples"] {
            let mut files = Vec::new();
            collect(&root.join(&member.folder).join(room), &mut files)?;
            files.sort();
            for file in files {
                let text =
                    std::fs::read_to_string(&file).tried(format_args!("reading {}", file.display()))?;
                if !text.starts_with("//! ") {
                    let shown = file.strip_prefix(root).unwrap_or(&file).display();
                    sentences
                        .push(format!("{shown} must begin with //! and a sentence that says what it is for"));
                }
            }
        }
    }
    Ok(sentences)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).tried(format_args!("listing {}", folder.display()))? {
        let path = entry.tried(format_args!("listing {}", folder.display()))?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
