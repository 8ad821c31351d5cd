// JSON without rounding: numbers that a browser would change keep their original text.

/** A number that JavaScript cannot represent as written, such as 9007199254740993 or 1.0. */
export class ExactNumber {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }

  valueOf() {
    return Number(this.text);
  }
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The value of a number in the grammar of JSON; null for other texts, and for numbers out of range. */
export function numberFrom(text) {
  const value = Number(text);
  if (!NUMBER.test(text) || !Number.isFinite(value)) return null;
  return isKept(text) ? value : new ExactNumber(text);
}

const isKept = (text) => String(Number(text)) === text;

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** Like `JSON.parse`, with an `ExactNumber` for each number that would be read as a different one. */
export function parseJson(text) {
  const value = JSON.parse(text); // it also says what is wrong
  let isExact = true;
  const sign = `exact ${Math.random()}`; // nobody who wrote the text can have known it
  const marked = text.replace(STRING_OR_NUMBER, (token) => {
    if (token.startsWith('"') || isKept(token)) return token;
    isExact = false;
    return `{"${sign}":"${token}"}`;
  });
  if (isExact) return value;
  return JSON.parse(marked, (_, part) => (part !== null && typeof part === "object" && Object.hasOwn(part, sign) ? new ExactNumber(part[sign]) : part));
}

/** Like `JSON.stringify`, with an `ExactNumber` as written; `indent` is the indentation of each level. */
export function printJson(value, indent = "") {
  return print(value, indent, indent === "" ? "" : "\n");
}

function print(value, indent, line) {
  if (value instanceof ExactNumber) return value.text;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const inner = line + indent;
  const list = (open, parts, close) => (parts.length === 0 ? open + close : `${open}${inner}${parts.join(`,${inner}`)}${line}${close}`);
  if (Array.isArray(value)) return list("[", value.map((part) => print(part, indent, inner)), "]");
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  const colon = indent === "" ? ":" : ": ";
  return list("{", entries.map(([name, part]) => `${JSON.stringify(name)}${colon}${print(part, indent, inner)}`), "}");
}
