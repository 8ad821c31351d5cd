// Invisible characters, and those that reverse the text around them, are shown by their numbers, so that two ids that
// look alike can be distinguished.

// Control characters, format characters (direction, zero width, tags), line separators, characters that may be left out
// when rendering (fillers, variation selectors), and blanks that look like a space.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u00a0\u2000-\u200a\u202f\u205f\u2800]/gu;
const LAYOUT = "\n\t\r";
// Characters that join several into one.
const PICTURE = /^\p{Extended_Pictographic}$/u;
const BEFORE_JOINER = /^(\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)$/u;

/** The text with invisible characters escaped as in JSON: "a\u202Eb". Line breaks and emoji stay. */
export function visible(text) {
  return text.replace(UNSEEN, (character, at) => {
    if (LAYOUT.includes(character)) return character;
    const before = [...text.slice(Math.max(at - 2, 0), at)].at(-1) ?? "";
    if (character === "\ufe0f" && PICTURE.test(before)) return character;
    const after = [...text.slice(at + 1, at + 3)][0] ?? "";
    if (character === "\u200d" && BEFORE_JOINER.test(before) && PICTURE.test(after)) return character;
    const number = character.codePointAt(0).toString(16).toUpperCase();
    return number.length > 4 ? `\\u{${number}}` : `\\u${number.padStart(4, "0")}`;
  });
}
