// Compressed blocks of the page: the library is opened while the rest of the page is still read.
"use strict";
const report = { ready: [] };
(() => {
  const bytes = (text) => {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const raw = atob(text);
    const found = new Uint8Array(raw.length);
    for (let k = 0; k < raw.length; k++) found[k] = raw.charCodeAt(k);
    return found;
  };

  report.bytes = bytes;

  // A compressed block of the page, opened.
  const opened = async (id) => {
    const place = document.getElementById(id);
    if (!window.DecompressionStream) throw new Error("no DecompressionStream");
    const stream = new Blob([bytes(place.textContent.trim())]).stream();
    place.textContent = ""; // what was read may be forgotten
    return new Response(stream.pipeThrough(new DecompressionStream("gzip")));
  };
  report.open = async (id) => (await opened(id)).text();

  if (document.getElementById("plotly")) {
    report.library = opened("plotly").then((answer) => answer.arrayBuffer());
    report.library.catch(() => {}); // it is said where figures should be
  }
})();
