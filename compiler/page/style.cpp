// How the page looks, in light and dark, and what the pointer and the keyboard do.
#include "compiler/page/links.h"

namespace gradc {

std::string page_style() {
    return R"css(:root {
  color-scheme: light dark;
  --page: #f5f5f2; --panel: #ffffff; --ink: #1d2329; --quiet: #6a737d; --line: #dcdfe3; --edge: #a9b1ba; --glow: #ffe9a8;
  --data: #6b7785; --parameter: #b7791f; --value: #2b6cb0; --gradient: #c0392b; --optimizer: #7b4fb5;
  --mono: ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --panel: #1c2026; --ink: #e4e8ec; --quiet: #929ca8; --line: #30363e; --edge: #59636f; --glow: #5c4a12;
    --data: #94a1b0; --parameter: #dfa94f; --value: #6ba8e5; --gradient: #ee8175; --optimizer: #b494e6;
  }
}
* { box-sizing: border-box; }
body { margin: 0; height: 100vh; display: flex; flex-direction: column; background: var(--page); color: var(--ink);
  font: 14px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 20px; padding: 10px 16px 6px; }
h1 { font-size: 18px; margin: 0; }
header p { margin: 0; }
.subtitle { color: var(--quiet); }
.legend { margin-left: auto; display: flex; flex-wrap: wrap; gap: 2px 14px; color: var(--quiet); font-size: 12px; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; background: var(--own); margin-right: 5px; }
.tabs button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 6px; padding: 1px 10px;
  margin-right: 4px; cursor: pointer; }
.tabs button[aria-pressed="true"] { background: var(--ink); color: var(--page); }
main { flex: 1; min-height: 0; display: grid; gap: 8px; padding: 0 8px 8px;
  grid-template-columns: minmax(280px, 25fr) minmax(0, 43fr) minmax(0, 32fr); grid-template-rows: minmax(0, 3fr) minmax(0, 2fr);
  grid-template-areas: "model graph formulas" "memory code code"; }
.program { display: contents; }
.program[hidden] { display: none; }
.model-panel { grid-area: model; } .graph-panel { grid-area: graph; } .formula-panel { grid-area: formulas; }
.memory-panel { grid-area: memory; } .code-panel { grid-area: code; }
.panel { min-height: 0; min-width: 0; display: flex; flex-direction: column; background: var(--panel);
  border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
h2 { font-size: 13px; margin: 0; padding: 7px 12px; border-bottom: 1px solid var(--line); display: flex; gap: 10px; align-items: baseline; }
h2 span { color: var(--quiet); font-weight: normal; font-size: 12px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.scroll { flex: 1; overflow: auto; position: relative; padding: 6px 0; }
.data { --own: var(--data); } .parameter { --own: var(--parameter); } .value { --own: var(--value); }
.gradient { --own: var(--gradient); } .optimizer, .update { --own: var(--optimizer); }
.state, .result, .constant { --own: var(--data); }
code, pre, svg text { font-family: var(--mono); }
.source { margin: 0; padding: 0 0 0 44px; font-size: 12.5px; }
.source li { padding: 0 10px; min-height: 1.45em; white-space: pre-wrap; overflow-wrap: anywhere; }
.source li::marker { color: var(--quiet); font-size: 11px; }
.comment, .type { color: var(--quiet); }
.part { cursor: pointer; outline: none; }
.formulas { list-style: none; margin: 0; padding: 0; font-size: 12.5px; }
.formulas li { display: flex; gap: 12px; padding: 2px 12px; border-left: 3px solid var(--own); margin: 1px 0 1px 8px; }
.formulas code { flex: 1; overflow-wrap: anywhere; }
.formulas b { color: var(--own); }
.formulas .type { font-size: 11px; white-space: nowrap; padding-top: 2px; }
h3 { font-size: 12px; margin: 8px 12px 3px; color: var(--quiet); font-weight: 600; }
.kernel { padding: 2px 0 4px; border-left: 3px solid transparent; margin-bottom: 6px; }
.kernel h3 { font-family: var(--mono); color: var(--ink); }
pre { margin: 0; padding: 0 12px; font-size: 11.5px; line-height: 1.4; overflow-x: auto; }
svg { display: block; margin: 0 auto; }
svg text { font-size: 12px; fill: var(--ink); }
.box text { text-anchor: middle; }
.box .type { font-size: 10px; fill: var(--quiet); }
.box rect { fill: var(--panel); stroke: var(--own); stroke-width: 1.5; }
.box.data rect, .box.parameter rect, .box.optimizer rect, .box.state rect { fill: color-mix(in srgb, var(--own) 12%, var(--panel)); }
.edge { fill: none; stroke: var(--edge); stroke-width: 1.2; }
.edge.across { stroke-dasharray: 4 4; opacity: 0.55; }
.edge.lit { stroke: var(--ink); stroke-width: 2; opacity: 1; }
.lane, .tick { fill: var(--quiet) !important; font-size: 11px !important; }
.tick { text-anchor: end; font-size: 10px !important; }
.block rect { fill: color-mix(in srgb, var(--own) 35%, var(--panel)); stroke: var(--own); stroke-width: 0.8; }
.block text { font-size: 10px; pointer-events: none; }
li.part:hover, li.lit, .kernel.lit { background: color-mix(in srgb, var(--glow) 55%, transparent); }
li.own, .kernel.own { background: var(--glow); }
.kernel.lit, .kernel.own { border-left-color: var(--ink); }
.part:focus-visible { box-shadow: inset 0 0 0 2px var(--ink); }
.box.lit rect, .box.own rect { fill: var(--glow); stroke-width: 2.5; }
.block.lit rect, .block.own rect { fill: var(--own); stroke: var(--ink); stroke-width: 1.6; }
.block.lit text, .block.own text { fill: var(--panel); }
svg .part:focus-visible rect { stroke: var(--ink); stroke-width: 3; }
body.pointing .graph .box:not(.lit):not(.own) rect { stroke-opacity: 0.35; }
body.pointing .graph .box:not(.lit):not(.own) text { opacity: 0.4; }
body.pointing .memory .block:not(.lit):not(.own) { opacity: 0.45; }
@media (max-width: 1000px) {
  body { height: auto; }
  main, .program:not([hidden]) { display: block; }
  .panel { margin-bottom: 8px; max-height: 85vh; }
}
)css";
}

std::string page_script() {
    return R"js('use strict';
let pinned = null;
const parts = [...document.querySelectorAll('.part')];
const edges = [...document.querySelectorAll('.edge')];

function clear() {
  document.body.classList.remove('pointing');
  for (const each of document.querySelectorAll('.lit, .own')) each.classList.remove('lit', 'own');
}

// Brings the first lit part of every other panel into its view; the page itself stays where it is.
function reveal(own) {
  for (const pane of document.querySelectorAll('.scroll')) {
    if (pane.contains(own) || pane.offsetParent === null) continue;
    const first = pane.querySelector('.lit');
    if (!first) continue;
    const outer = pane.getBoundingClientRect(), inner = first.getBoundingClientRect();
    if (inner.top < outer.top || inner.bottom > outer.bottom)
      pane.scrollTop += inner.top - outer.top - Math.max(20, (outer.height - inner.height) / 3);
    if (inner.left < outer.left || inner.right > outer.right)
      pane.scrollLeft += inner.left - outer.left - Math.max(20, (outer.width - inner.width) / 3);
  }
}

function show(own, move) {
  clear();
  if (!own) return;
  document.body.classList.add('pointing');
  own.classList.add('own');
  for (const id of own.dataset.to.split(' ')) {
    const other = document.getElementById(id);
    if (other) other.classList.add('lit');
  }
  for (const edge of edges) {
    const [from, to] = edge.dataset.ends.split(' ').map(id => document.getElementById(id));
    const on = each => each.classList.contains('lit') || each.classList.contains('own');
    if (from === own || to === own || (on(from) && on(to))) edge.classList.add('lit');
  }
  if (move) reveal(own);
}

document.addEventListener('pointerover', event => {
  if (!pinned) show(event.target.closest('.part'), false);
});
document.addEventListener('click', event => {
  const button = event.target.closest('[data-program]');
  if (button) {
    for (const each of document.querySelectorAll('[data-program]')) each.setAttribute('aria-pressed', String(each === button));
    for (const each of document.querySelectorAll('.program')) each.hidden = each.id !== button.dataset.program;
    return;
  }
  const own = event.target.closest('.part');
  pinned = own && own !== pinned ? own : null;
  show(pinned, true);
});
document.addEventListener('focusin', event => {
  const own = event.target.closest('.part');
  if (own && own.matches(':focus-visible')) { pinned = own; show(own, true); }
});
document.addEventListener('keydown', event => {
  if (event.key === 'Escape') { pinned = null; clear(); return; }
  const own = document.activeElement && document.activeElement.closest('.part');
  if (!own) return;
  const step = event.key === 'ArrowDown' || event.key === 'ArrowRight' ? 1
             : event.key === 'ArrowUp' || event.key === 'ArrowLeft' ? -1 : 0;
  if (!step) return;
  const pane = own.closest('.scroll'), here = parts.filter(each => pane.contains(each));
  const next = here[here.indexOf(own) + step];
  if (next) { next.focus(); event.preventDefault(); }
});
)js";
}

} // namespace gradc
