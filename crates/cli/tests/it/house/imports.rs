//! Which file of a package imports from which, read with a parser of Rust and resolved through re-exports.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    File, Item, UseTree, Visibility,
    visit::{self, Visit},
};

/// The path of a module from the root of its crate, name by name.
type ModulePath = Vec<String>;

/// The source files of one package, tests left out, and the imports between them.
pub(super) struct Package {
    modules: HashMap<ModulePath, Module>,
}

/// The imports between files: the importing file, the file it imports from, and the names it takes from there.
pub(super) type Imports = BTreeMap<(PathBuf, PathBuf), BTreeSet<String>>;

struct Module {
    file: PathBuf,
    children: HashSet<String>,
    /// What `use` brings into the module: the name there, and the path it stands for.
    aliases: HashMap<String, Vec<String>>,
    /// The paths of `use …::*`.
    globs: Vec<Vec<String>>,
    /// All paths that are named, in `use` and in code.
    named: BTreeSet<Vec<String>>,
}

impl Package {
    /// Reads the package whose root is the file `root`: a `lib.rs`, a `main.rs` or the root of a test binary.
    pub(super) fn read(root: &Path) -> Self {
        let mut package = Self {
            modules: HashMap::new(),
        };
        package.read_module(root, &root.with_file_name(""), Vec::new());
        package
    }

    /// `folder`: where the files of the children stand.
    fn read_module(&mut self, file: &Path, folder: &Path, path: ModulePath) {
        let text = fs::read_to_string(file).unwrap();
        let syntax =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut module = Module {
            file: file.to_owned(),
            children: HashSet::new(),
            aliases: HashMap::new(),
            globs: Vec::new(),
            named: BTreeSet::new(),
        };
        let mut code = Code::of(&syntax);
        for item in &syntax.items {
            match item {
                Item::Mod(child) if child.content.is_none() && !is_test(&child.attrs) => {
                    let name = child.ident.to_string();
                    let (file, nested) = file_of(child, file, folder);
                    let child_path = [&*path, std::slice::from_ref(&name)].concat();
                    self.read_module(&file, &nested, child_path);
                    module.children.insert(name);
                }
                Item::Use(import) if !is_test(&import.attrs) => {
                    let is_reexport = !matches!(import.vis, Visibility::Inherited);
                    let mut leaves = Vec::new();
                    flatten(&import.tree, &mut Vec::new(), &mut leaves);
                    for (name, target) in leaves {
                        // What is only passed on is not used here.
                        if !is_reexport || code.words.contains(&name) {
                            code.paths.insert(target.clone());
                        }
                        if name == "*" {
                            module.globs.push(target);
                        } else {
                            module.aliases.insert(name, target);
                        }
                    }
                }
                _ => {}
            }
        }
        module.named = code.paths;
        self.modules.insert(path, module);
    }

    /// The imports between the files.
    pub(super) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (path, module) in &self.modules {
            for named in &module.named {
                let Some(found) = self.resolve(path, named, &mut HashSet::new()) else {
                    continue;
                };
                let to = &self.modules[&found].file;
                if *to != module.file {
                    imports
                        .entry((module.file.clone(), to.clone()))
                        .or_default()
                        .insert(named.join("::"));
                }
            }
        }
        imports
    }

    /// The imports that are part of a circle: those whose target leads back to their source.
    pub(super) fn circular_imports(&self) -> Imports {
        let imports = self.imports();
        let mut next: HashMap<&Path, Vec<&Path>> = HashMap::new();
        for (from, to) in imports.keys() {
            next.entry(from).or_default().push(to);
        }
        let leads_to = |start: &Path, goal: &Path| {
            let mut reached = HashSet::from([start]);
            let mut waiting = vec![start];
            while let Some(file) = waiting.pop() {
                for to in next.get(file).into_iter().flatten() {
                    if reached.insert(to) {
                        waiting.push(to);
                    }
                }
            }
            reached.contains(goal)
        };
        let mut circular = imports.clone();
        circular.retain(|(from, to), _| leads_to(to, from));
        circular
    }

    /// The module in which what `named` means in the module `path` is defined. `None`: it is not of this package.
    fn resolve(
        &self,
        path: &ModulePath,
        named: &[String],
        seen: &mut HashSet<(ModulePath, Vec<String>)>,
    ) -> Option<ModulePath> {
        if !seen.insert((path.clone(), named.to_vec())) {
            return None;
        }
        let mut at = path.clone();
        let mut rest = named;
        let mut is_anchored = false;
        while let [first, tail @ ..] = rest {
            match &**first {
                "crate" => at = Vec::new(),
                "self" => {}
                "super" => {
                    at.pop()?;
                }
                _ => break,
            }
            is_anchored = true;
            rest = tail;
        }
        while let [name, tail @ ..] = rest {
            let module = &self.modules[&at];
            if module.children.contains(name) {
                at.push(name.clone());
                is_anchored = true;
                rest = tail;
                continue;
            }
            if let Some(target) = module.aliases.get(name) {
                if target[0] == *name {
                    // A package that has an item of its own name.
                    return None;
                }
                let whole = [target, tail].concat();
                return self.resolve(&at, &whole, seen);
            }
            for glob in &module.globs {
                let whole = [&**glob, rest].concat();
                if let Some(found) = self.resolve(&at, &whole, seen)
                    && found != at
                {
                    return Some(found);
                }
            }
            break;
        }
        is_anchored.then_some(at)
    }
}

/// The words and the qualified paths of a file's code, `use` and tests left out.
struct Code {
    words: HashSet<String>,
    paths: BTreeSet<Vec<String>>,
}

impl Code {
    fn of(file: &File) -> Self {
        let mut code = Self {
            words: HashSet::new(),
            paths: BTreeSet::new(),
        };
        code.visit_file(file);
        code
    }
}

impl<'ast> Visit<'ast> for Code {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Use(_) => {}
            Item::Mod(module) if module.content.is_none() || is_test(&module.attrs) => {}
            Item::Fn(function) if is_test(&function.attrs) => {}
            item => visit::visit_item(self, item),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        let names = names.collect::<Vec<_>>();
        self.words.extend(names.iter().cloned());
        if names.len() > 1 {
            self.paths.insert(names);
        }
        visit::visit_path(self, path);
    }

    /// What is inside the parentheses of a macro is no syntax yet: its words count, and its paths.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.read_tokens(call.tokens.clone());
    }
}

impl Code {
    fn read_tokens(&mut self, tokens: proc_macro2::TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Ident(word) => {
                    self.words.insert(word.to_string());
                    if colons != 2 {
                        self.keep(&mut path);
                    }
                    path.push(word.to_string());
                    colons = 0;
                }
                proc_macro2::TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                proc_macro2::TokenTree::Group(group) => {
                    self.keep(&mut path);
                    self.read_tokens(group.stream());
                    colons = 0;
                }
                _ => {
                    self.keep(&mut path);
                    colons = 0;
                }
            }
        }
        self.keep(&mut path);
    }

    fn keep(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.paths.insert(path);
        }
    }
}

/// The file of the module `child` of the file `parent`, and the folder with the files of its own children.
fn file_of(child: &syn::ItemMod, parent: &Path, folder: &Path) -> (PathBuf, PathBuf) {
    let named = child.attrs.iter().find_map(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        match &pair.value {
            syn::Expr::Lit(literal) if pair.path.is_ident("path") => match &literal.lit {
                syn::Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        }
    });
    if let Some(named) = named {
        let file = parent.with_file_name(named);
        let folder = file.with_file_name("");
        return (file, folder);
    }
    let nested = folder.join(child.ident.to_string());
    let plain = nested.with_extension("rs");
    let file = if plain.exists() {
        plain
    } else {
        nested.join("mod.rs")
    };
    (file, nested)
}

/// The names that a `use` brings in, each with the path it stands for. A glob is called `*`.
fn flatten(tree: &UseTree, path: &mut Vec<String>, leaves: &mut Vec<(String, Vec<String>)>) {
    match tree {
        UseTree::Path(step) => {
            path.push(step.ident.to_string());
            flatten(&step.tree, path, leaves);
            path.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, path, leaves);
            }
        }
        UseTree::Name(name) if name.ident == "self" => {
            leaves.push((path.last().cloned().unwrap_or_default(), path.clone()));
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            leaves.push((name.clone(), [&**path, &[name]].concat()));
        }
        UseTree::Rename(rename) => {
            let mut target = path.clone();
            if rename.ident != "self" {
                target.push(rename.ident.to_string());
            }
            leaves.push((rename.rename.to_string(), target));
        }
        UseTree::Glob(_) => leaves.push(("*".to_owned(), path.clone())),
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Ident>()
                    .is_ok_and(|word| word == "test"))
    })
}
