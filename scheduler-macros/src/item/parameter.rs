//! A parameter: injected, or an argument of the job.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{Attribute, Expr, Meta, Pat, PatType, Type};

use super::ty;
use crate::attr::{Key, Keys, Value, entries};
use crate::errors::Errors;

/// Types that are injected because of their names.
const INJECTED: [&str; 2] = ["JobContext", "Data"];

/// One parameter of a task.
pub(crate) struct Parameter {
    /// Its name; `None` for a pattern, which is only allowed for an injected parameter.
    pub(crate) name: Option<Ident>,
    pub(crate) ty: Type,
    pub(crate) role: Role,
    /// If `true`, its value is never shown: `#[arg(secret)]`.
    pub(crate) is_secret: bool,
    /// If `true`, a mistake in it was reported, so a missing value is not reported as well.
    pub(crate) is_wrong: bool,
}

/// The source of a parameter's value.
pub(crate) enum Role {
    /// The run's context.
    Injected,
    /// The job's arguments.
    Argument(Default),
}

/// The value of a missing argument.
#[derive(std::default::Default)]
pub(crate) enum Default {
    /// No default.
    #[default]
    None,
    /// `#[arg(default)]`.
    OfType,
    /// `#[arg(default = expr)]`.
    Value(Box<Expr>),
}

impl Parameter {
    /// Parses a parameter, and removes our attributes from it.
    pub(crate) fn take(input: &mut PatType, errors: &Errors) -> Self {
        let before = errors.count();
        let marks = marks(&mut input.attrs, errors);
        let name = match &*input.pat {
            Pat::Ident(pat) if pat.subpat.is_none() => Some(pat.ident.clone()),
            _ => None,
        };
        for attr in &input.attrs {
            if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
                errors.on(
                    attr,
                    "a parameter of a task cannot depend on `cfg`, because stored arguments would not fit every build: put the `cfg` on the function",
                );
            }
        }
        let by_name =
            ty::last_segment(&input.ty).is_some_and(|name| INJECTED.contains(&name.as_str()));
        let is_marked = marks.inject || marks.arg.is_some();
        let is_secret = marks.arg.as_ref().is_some_and(|arg| arg.is_secret);
        let role = match marks {
            Marks { arg: Some(arg), .. } => Role::Argument(arg.default),
            Marks { inject: true, .. } => Role::Injected,
            _ if by_name || is_reference_to_injected(&input.ty) => Role::Injected,
            _ => Role::Argument(Default::None),
        };
        let mut parameter = Self {
            name,
            ty: (*input.ty).clone(),
            role,
            is_secret,
            is_wrong: false,
        };
        let meant = if is_marked {
            None
        } else {
            meant_as_data(&input.ty)
        };
        match meant {
            Some(message) => errors.on(&input.ty, message),
            None => parameter.check(&input.pat, errors),
        }
        parameter.is_wrong = errors.count() > before;
        parameter
    }

    pub(crate) fn is_argument(&self) -> bool {
        matches!(self.role, Role::Argument(_))
    }

    /// Returns `true` if a job may leave it out.
    pub(crate) fn is_optional(&self) -> bool {
        match &self.role {
            Role::Argument(Default::None) => {
                ty::last_segment(&self.ty).as_deref() == Some("Option")
            }
            _ => true,
        }
    }

    fn check(&self, pat: &Pat, errors: &Errors) {
        let ty = &self.ty;
        if let Some(token) = ty::find(ty.to_token_stream(), "impl") {
            const MESSAGE: &str = "a parameter of a task has one type that is known by name, so it cannot be `impl Trait`";
            match ty {
                Type::ImplTrait(_) => errors.on(ty, MESSAGE),
                _ => errors.at(token.span(), MESSAGE),
            }
            return;
        }
        match self.role {
            Role::Injected => {
                if let Some(owned) = ty::owned_form(ty) {
                    errors.on(
                        ty,
                        format!("an injected parameter is taken by value: write `{owned}`"),
                    );
                } else if let Pat::TupleStruct(pattern) = pat
                    && ty::last_segment(ty).as_deref() == Some("Data")
                {
                    let inner = pattern.elems.first().map(ToTokens::to_token_stream);
                    let inner = inner.unwrap_or_default();
                    let ty = ty::type_text(ty);
                    errors.on(
                        pat,
                        format!("`Data` gives its value by dereferencing, not by a pattern: write `{inner}: {ty}`"),
                    );
                }
            }
            Role::Argument(_) => {
                if let Some(borrow) = ty::borrowed(ty) {
                    self.borrowed(borrow.span(), errors);
                }
                if self.name.is_none() {
                    errors.on(
                        pat,
                        "an argument is stored under its name, so it needs one: write a name here, and take it apart in the body",
                    );
                }
            }
        }
    }

    fn borrowed(&self, span: Span, errors: &Errors) {
        const REASON: &str = "an argument is stored and read back, so it cannot be borrowed";
        let ty = &self.ty;
        match ty::owned_form(ty) {
            Some(owned) => errors.on(
                ty,
                format!(
                    "{REASON}: write `{owned}`, or `Data<{owned}>` for a value of the application"
                ),
            ),
            None => errors.at(span, format!("{REASON}: use an owned type here")),
        }
    }
}

/// Returns the advice for a type that holds a value of the application elsewhere: `State<S>` and `Extension<S>` of
/// axum, `Arc<S>`, `Option<Data<S>>`. A mark on the parameter shows that it is intended.
fn meant_as_data(ty: &Type) -> Option<String> {
    let outer = ty::last_segment(ty)?;
    let inner = ty::only_argument(ty)?;
    let inner_name = ty::last_segment(inner)?;
    let text = ty::type_text(inner);
    match outer.as_str() {
        "State" | "Extension" => Some(format!(
            "a value of the application is injected as `Data`: write `Data<{text}>`, or mark the parameter `#[arg]` if it is stored with the job"
        )),
        "Arc" | "Rc" | "Box" | "Option" if INJECTED.contains(&inner_name.as_str()) => Some(
            format!("an injected value is owned and always there: write `{text}`"),
        ),
        // An `Arc` of a type that serde can read is plain data.
        "Arc" | "Rc" if !is_plain(&inner_name) => Some(format!(
            "a value of the application is injected as `Data`, which is an `Arc` already: write `Data<{text}>`, or mark the parameter `#[arg]` if it is stored with the job"
        )),
        _ => None,
    }
}

fn is_plain(name: &str) -> bool {
    let is_primitive = name.starts_with(|c: char| c.is_lowercase());
    is_primitive
        || matches!(
            name,
            "String" | "Vec" | "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet"
        )
}

/// Returns `true` for `&JobContext` and `&Data<T>`, which are meant to be injected, whatever else is wrong with them.
fn is_reference_to_injected(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference)
        if ty::last_segment(&reference.elem).is_some_and(|name| INJECTED.contains(&name.as_str())))
}

#[derive(std::default::Default)]
struct Marks {
    inject: bool,
    arg: Option<Arg>,
}

/// The content of `#[arg…]`.
#[derive(std::default::Default)]
struct Arg {
    default: Default,
    is_secret: bool,
}

/// Misspellings of our marks.
const MISSPELT: [(&str, &str); 6] = [
    ("args", "#[arg]` or `#[arg(default)]"),
    ("argument", "#[arg]` or `#[arg(default)]"),
    ("default", "#[arg(default)]"),
    ("injected", "#[inject]"),
    ("injects", "#[inject]"),
    ("secret", "#[arg(secret)]"),
];

/// Removes `#[inject]` and `#[arg…]` from a parameter, and returns them.
fn marks(attrs: &mut Vec<Attribute>, errors: &Errors) -> Marks {
    let mut marks = Marks::default();
    attrs.retain(|attr| {
        if attr.path().is_ident("inject") {
            if !matches!(attr.meta, Meta::Path(_)) {
                errors.on(&attr.meta, "`#[inject]` takes nothing: write `#[inject]`");
            }
            if marks.inject {
                errors.on(attr.path(), "`#[inject]` is given twice: remove one");
            }
            marks.inject = true;
        } else if attr.path().is_ident("arg") {
            if marks.arg.is_some() {
                errors.on(attr.path(), "`#[arg]` is given twice: remove one");
            }
            marks.arg = Some(arg(attr, errors));
        } else if let Some((_, meant)) = MISSPELT
            .iter()
            .find(|(other, _)| attr.path().is_ident(other))
        {
            let meant = match &attr.meta {
                Meta::NameValue(meta) if attr.path().is_ident("default") => {
                    with_default(&meta.value)
                }
                _ => (*meant).to_owned(),
            };
            errors.on(
                attr.path(),
                format!("a parameter has no such mark: write `{meant}`"),
            );
            marks.arg = marks.arg.take().or(Some(Arg::default()));
            return false;
        } else {
            return true;
        }
        if marks.inject && marks.arg.is_some() {
            errors.on(
                attr.path(),
                "a parameter is injected or an argument, not both: keep `#[inject]` or `#[arg]`",
            );
        }
        false
    });
    marks
}

const ARG: Keys = Keys {
    owner: "`#[arg]`",
    groups: &[&[
        Key::new("default", "#[arg(default)]"),
        Key::new("secret", "#[arg(secret)]"),
    ]],
    around: &[],
    habits: &[],
    triggers: &[],
    check: None,
};

/// Returns the mark of an argument with this default.
fn with_default(value: &Expr) -> String {
    format!("#[arg(default = {})]", value.to_token_stream())
}

fn arg(attr: &Attribute, errors: &Errors) -> Arg {
    let tokens = match &attr.meta {
        Meta::Path(_) => return Arg::default(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(meta) => {
            errors.on(
                &attr.meta,
                format!("a default has a key: write `{}`", with_default(&meta.value)),
            );
            return Arg::default();
        }
    };
    let list = entries(tokens, errors);
    for literal in &list.bare {
        errors.on(
            literal,
            format!(
                "a default has a key: write `#[arg(default = {})]`",
                quote::quote!(#literal)
            ),
        );
    }
    let mut given = ARG.sort(list.keyed, errors);
    let is_secret = match given.take("secret") {
        None => false,
        Some((_, entry)) => {
            if !matches!(entry.value, Value::Missing) {
                errors.on(
                    entry.tokens(),
                    "`secret` takes no value: write `#[arg(secret)]`",
                );
            }
            true
        }
    };
    let default = match given
        .take("default")
        .map(|(_, entry)| (entry.key.span(), entry.value))
    {
        None => Default::None,
        Some((_, Value::Missing)) => Default::OfType,
        Some((_, Value::Expr(value))) => Default::Value(Box::new(value)),
        Some((span, Value::List(_))) => {
            errors.at(
                span,
                "`default` takes its value after `=`: write `#[arg(default = value)]`",
            );
            Default::None
        }
    };
    Arg { default, is_secret }
}

#[cfg(test)]
mod tests {
    use syn::Token;
    use syn::parse::{ParseStream, Parser};

    use super::*;

    fn read(text: &str) -> (Parameter, Vec<String>) {
        let parser = |input: ParseStream<'_>| {
            let attrs = input.call(Attribute::parse_outer)?;
            Ok(PatType {
                attrs,
                pat: Box::new(Pat::parse_single(input)?),
                colon_token: input.parse::<Token![:]>()?,
                ty: input.parse()?,
            })
        };
        let mut input = parser.parse_str(text).unwrap();
        let errors = Errors::default();
        let parameter = Parameter::take(&mut input, &errors);
        assert!(input.attrs.is_empty());
        let messages = errors
            .finish()
            .err()
            .into_iter()
            .flatten()
            .map(|error| error.to_string());
        (parameter, messages.collect())
    }

    #[test]
    fn roles_follow_the_type_and_marks_override() {
        for (text, argument) in [
            ("a: i64", true),
            ("a: JobContext", false),
            ("a: scheduler_core::Data<Pool>", false),
            ("#[arg] a: Data", true),
            ("#[inject] a: Label", false),
            ("#[arg(default = 3)] a: u8", true),
            ("#[arg(secret)] a: JobContext", true),
        ] {
            let (parameter, messages) = read(text);
            assert_eq!(parameter.is_argument(), argument, "{text}");
            assert!(messages.is_empty(), "{text}: {messages:?}");
        }
    }

    #[test]
    fn values_of_the_application_are_reported_once_with_the_type_to_write() {
        for (text, advised) in [
            ("state: State<AppState>", "`Data<AppState>`"),
            ("state: axum::extract::State<AppState>", "`Data<AppState>`"),
            ("Extension(pool): Extension<Pool>", "`Data<Pool>`"),
            ("pool: Arc<Pool>", "`Data<Pool>`"),
            ("pool: Arc<Mutex<Pool>>", "`Data<Mutex<Pool>>`"),
            ("pool: &Pool", "`Data<Pool>`"),
            ("pool: &mut Pool", "`Data<Pool>`"),
            ("Data(pool): Data<Pool>", "`pool: Data<Pool>`"),
            ("pool: Option<Data<Pool>>", "`Data<Pool>`"),
            ("ctx: Option<JobContext>", "`JobContext`"),
            ("ctx: Arc<JobContext>", "`JobContext`"),
            ("pool: Arc<Data<Pool>>", "`Data<Pool>`"),
        ] {
            let (parameter, messages) = read(text);
            assert_eq!(messages.len(), 1, "{text}: {messages:?}");
            assert!(messages[0].contains(advised), "{text}: {messages:?}");
            assert!(parameter.is_wrong, "{text}");
        }
        for text in [
            "#[arg] pool: Arc<Pool>",
            "name: Arc<str>",
            "names: Arc<[String]>",
            "#[inject] state: State<AppState>",
            "state: State",
            "limit: Option<u8>",
        ] {
            assert!(read(text).1.is_empty(), "{text}");
        }
    }

    #[test]
    fn argument_is_secret_with_and_without_a_default() {
        for (text, secret) in [
            ("#[arg(secret)] key: String", true),
            ("#[arg(default, secret)] key: String", true),
            ("#[arg(secret, default = \"x\")] key: String", true),
            ("#[arg(default)] key: String", false),
            ("key: String", false),
        ] {
            let (parameter, messages) = read(text);
            assert_eq!(parameter.is_secret, secret, "{text}");
            assert!(messages.is_empty(), "{text}: {messages:?}");
        }
        for text in [
            "#[arg(secret = true)] key: String",
            "#[secret] key: String",
            "#[arg(secert)] key: String",
        ] {
            let (_, messages) = read(text);
            assert_eq!(messages.len(), 1, "{text}: {messages:?}");
            assert!(
                messages[0].contains("write `#[arg(secret)]`") || messages[0].contains("`secret`"),
                "{text}: {messages:?}"
            );
        }
    }

    #[test]
    fn a_mistake_in_a_mark_is_one_of_the_parameter() {
        for text in [
            "#[arg] #[inject] ctx: JobContext",
            "#[arg(5)] n: u32",
            "#[arg = 5] n: u32",
            "#[default = 5] n: u32",
        ] {
            let (parameter, messages) = read(text);
            assert!(parameter.is_wrong, "{text}");
            assert_eq!(messages.len(), 1, "{text}: {messages:?}");
            let has_value = messages[0].contains("write `#[arg(default = 5)]`");
            assert_eq!(has_value, text.contains('5'), "{text}: {messages:?}");
        }
    }

    #[test]
    fn parameters_that_cannot_be_stored_are_reported() {
        assert!(read("a: &str").1[0].contains("write `String`"));
        assert!(read("(a, b): (u8, u8)").1[0].contains("stored under its name"));
        assert!(read("ctx: &JobContext").1[0].contains("by value: write `JobContext`"));
        assert!(read("#[arg(defualt)] a: u8").1[0].contains("did you mean `default`"));
    }
}
