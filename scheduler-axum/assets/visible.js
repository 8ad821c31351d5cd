// Characters that nobody sees, or that turn the text around them, are shown by their numbers: two ids that look alike
// are told apart.

// Controls, format characters (direction, zero width, tags), separators of lines, fillers and variation selectors.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u{fe00}-\u{fe0f}\u{e0100}-\u{e01ef}]/gu;
const LAYOUT = "\n\t\r";
// What makes one sign of several.
const EMOJI = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f/u;
const JOINS = "\u200d\ufe0f";

/** The text with what is unseen as in JSON: "a\u202Eb". Line breaks and emoji stay. */
export function visible(text) {
  return text.replace(UNSEEN, (character, at) => {
    if (LAYOUT.includes(character)) return character;
    if (JOINS.includes(character) && EMOJI.test([...text.slice(0, at)].at(-1) ?? "")) return character;
    const number = character.codePointAt(0).toString(16).toUpperCase();
    return number.length > 4 ? `\\u{${number}}` : `\\u${number.padStart(4, "0")}`;
  });
}
