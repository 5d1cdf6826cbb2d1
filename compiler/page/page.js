// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the pointer and the keyboard do on the page of `gradc inspect --html`.
'use strict';
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
    for (const each of document.querySelectorAll('[data-program]'))
      each.setAttribute('aria-pressed', String(each === button));
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
