//! Types as they are written.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericArgument, PathArguments, Type, TypePath, TypeReference};

/// Returns the last segment of a type's path, such as `Data` of `scheduler_core::Data<Pool>`.
pub(crate) fn last_segment(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(TypePath { path, .. }) => Some(path.segments.last()?.ident.to_string()),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// Returns the only type between a type's angle brackets, such as `Pool` of `Data<Pool>`.
pub(crate) fn only_argument(ty: &Type) -> Option<&Type> {
    let path = match ty {
        Type::Path(TypePath { path, .. }) => path,
        Type::Group(group) => return only_argument(&group.elem),
        Type::Paren(paren) => return only_argument(&paren.elem),
        _ => return None,
    };
    let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else {
        return None;
    };
    let mut arguments = arguments.args.iter();
    match (arguments.next()?, arguments.next()) {
        (GenericArgument::Type(ty), None) => Some(ty),
        _ => None,
    }
}

/// Returns the `&` or lifetime that makes a type borrow from its caller; `&'static` also counts, since a value that
/// is read from a store lives no longer than its run.
pub(crate) fn borrowed(ty: &Type) -> Option<TokenTree> {
    fn find(tokens: TokenStream) -> Option<TokenTree> {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Punct(sign) if sign.as_char() == '&' => return Some(token),
                TokenTree::Punct(sign) if sign.as_char() == '\'' => {
                    let name = tokens.next();
                    if name
                        .as_ref()
                        .is_some_and(|name| name.to_string() != "static")
                    {
                        return name;
                    }
                }
                // `fn(&str)` and `dyn Fn(&str)` borrow nothing from the caller.
                TokenTree::Group(group) if !group.to_string().starts_with('(') => {
                    if let Some(found) = find(group.stream()) {
                        return Some(found);
                    }
                }
                _ => {}
            }
        }
        None
    }
    match ty {
        Type::Tuple(tuple) => tuple.elems.iter().find_map(borrowed),
        _ => find(ty.to_token_stream()),
    }
}

/// Returns the first token that is this word.
pub(crate) fn find(tokens: TokenStream, word: &str) -> Option<TokenTree> {
    tokens.into_iter().find_map(|token| match &token {
        TokenTree::Ident(ident) if ident == word => Some(token),
        TokenTree::Group(group) => find(group.stream(), word),
        _ => None,
    })
}

/// Returns the owned type to write instead of a borrowed one.
pub(crate) fn owned_form(ty: &Type) -> Option<String> {
    let Type::Reference(TypeReference { elem, .. }) = ty else {
        return None;
    };
    Some(match &**elem {
        Type::Slice(slice) => {
            let elem = &slice.elem;
            text(&quote!(Vec<#elem>))
        }
        other => match text(&quote!(#other)).as_str() {
            "str" => "String".to_owned(),
            "Path" => "PathBuf".to_owned(),
            plain => plain.to_owned(),
        },
    })
}

/// Returns a type in the form in which a user would write it.
pub(crate) fn type_text(ty: &Type) -> String {
    text(&ty.to_token_stream())
}

fn text(tokens: &TokenStream) -> String {
    let mut text = tokens.to_string();
    for (from, to) in [
        (" < ", "<"),
        (" >", ">"),
        (" :: ", "::"),
        (" ,", ","),
        ("& ", "&"),
        ("> >", ">>"),
    ] {
        text = text.replace(from, to);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> Type {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn borrows_are_found_where_they_hide() {
        for text in [
            "&str",
            "Option<&str>",
            "Cow<'a, str>",
            "(u8, &[u8])",
            "&'static str",
            "[&u8; 2]",
        ] {
            assert!(borrowed(&ty(text)).is_some(), "{text}");
        }
        for text in [
            "String",
            "Cow<'static, str>",
            "Vec<(u8, String)>",
            "fn(&str)",
        ] {
            assert!(borrowed(&ty(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn owned_forms_can_be_pasted() {
        let owned = |text: &str| owned_form(&ty(text)).unwrap();
        assert_eq!(owned("&str"), "String");
        assert_eq!(owned("&'a [u8]"), "Vec<u8>");
        assert_eq!(owned("&mut Vec<u8>"), "Vec<u8>");
        assert_eq!(owned("&std::path::Path"), "std::path::Path");
    }

    #[test]
    fn the_last_segment_decides() {
        assert_eq!(last_segment(&ty("a::Data<X>")).as_deref(), Some("Data"));
        assert_eq!(last_segment(&ty("(u8, u8)")), None);
    }
}
