// A paged list: the button at its end loads more, also by being scrolled into view.

import { h, patch } from "./dom.js";
import { Pager } from "./pager.js";
import { sayProblem } from "./toast.js";

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) entry.target.click();
}, { rootMargin: "200px" });
let watched = null;

// Observing again reports immediately whether the button is still visible.
function watch() {
  if (watched) seen.unobserve(watched);
  watched = document.querySelector("[data-testid=load-more]");
  if (watched) seen.observe(watched);
}

/** `read(cursor, signal)` returns a page, `draw(items)` its table, `empty()` the text for an empty list. */
export function pagedList(testid, { read, draw, empty }) {
  const element = h("div", { "data-testid": testid });
  const pager = new Pager(read);
  let known = false;

  function render() {
    if (!known) return;
    element.removeAttribute("aria-busy");
    const { items } = pager;
    keepPlace(element, () => patch(element,
      pager.hasEarlier && button("load-earlier", "Show earlier ones", "earlier"),
      items.length > 0 || pager.hasEarlier ? draw(items) : h("p", { class: "empty", "data-testid": `${testid}-empty` }, empty()),
      pager.next !== null && button("load-more", "Load more", "more")));
    watch();
  }

  const button = (name, words, act) => h("p", { class: "more-row", "data-key": name }, h("button", {
    type: "button", "data-testid": name, async onclick({ currentTarget }) {
      if (currentTarget.ariaBusy === "true") return;
      currentTarget.ariaBusy = "true";
      try {
        await pager[act]();
      } catch (error) {
        sayProblem("This could not be read:", error);
      } finally {
        currentTarget.ariaBusy = null;
      }
      render();
    },
  }, words));

  return {
    element, pager, render,
    get isKnown() {
      return known;
    },
    async reload() {
      await pager.reload();
      known = true;
      render();
    },
    /** The filter has changed; the current items stay until the answer arrives. */
    restart() {
      pager.reset();
      known = false;
      element.ariaBusy = "true";
    },
  };
}

/** Renders without moving the row that is at the top of the window. */
function keepPlace(element, render) {
  const anchor = scrollY > 0 && [...element.querySelectorAll("[data-key]")].find((row) => row.getBoundingClientRect().bottom > 60);
  const before = anchor && anchor.getBoundingClientRect().top;
  render();
  if (!anchor?.isConnected) return;
  const moved = anchor.getBoundingClientRect().top - before;
  if (Math.abs(moved) > 1) scrollBy({ top: moved, behavior: "instant" });
}
