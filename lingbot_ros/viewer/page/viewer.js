// The page of the viewer. It draws what arrives, says what is held, and asks for the rest. No library, no build step.
const $ = (id) => document.getElementById(id);
const HEADER_BYTES = 24;
const DRIVE_MS = 100;
const RECONNECT_MS = 500;
const DEAD_ZONE = 0.15;
const MOVE = [["w", "forward"], ["a", "left"], ["s", "back"], ["d", "right"]];
const LOOK = [["i", "up"], ["j", "left"], ["k", "down"], ["l", "right"]];
const CODES = Object.fromEntries([..."wasdijkl"].map((key) => [`Key${key.toUpperCase()}`, key]));

let socket = null;
let state = {};
let requestNumber = 0;
const waiting = new Map();
const views = new Map();
const newest = new Map(); // the last image of each stream
let chosen = 0; // the stream that input drives
const held = { keys: new Set(), pad: new Set(), touch: new Set(), values: null };
let said = "";

// --- connection ---------------------------------------------------------------------------------------------------

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/socket`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => { said = ""; send({ type: "watch", visible: !document.hidden }); showLink(); };
  socket.onmessage = (event) => (typeof event.data === "string" ? hear(JSON.parse(event.data)) : frame(event.data));
  socket.onclose = () => {
    releaseAll();
    for (const { reject } of waiting.values()) reject(new Error("the viewer is not connected"));
    waiting.clear();
    state = { ...state, status: null };
    showLink();
    setTimeout(connect, RECONNECT_MS);
  };
}

const isOpen = () => socket !== null && socket.readyState === WebSocket.OPEN;
const send = (message) => { if (isOpen()) socket.send(JSON.stringify(message)); };

function ask(name, more = {}) {
  if (!isOpen()) return Promise.reject(new Error("the viewer is not connected"));
  const id = ++requestNumber;
  send({ type: "request", id, name, ...more });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

// For buttons: an error becomes a notice.
async function request(name, more) {
  try {
    return await ask(name, more);
  } catch (error) {
    notice(error.message);
    return null;
  }
}

function hear(message) {
  if (message.type === "state") showState(message);
  else if (message.type === "notice") notice(message.text);
  else if (message.type === "reply" && waiting.has(message.id)) {
    const { resolve, reject } = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error_code) reject(new Error(message.error_msg));
    else resolve(message.result ?? {});
  }
}

function frame(buffer) {
  const header = new DataView(buffer);
  const stream = header.getUint16(2, true);
  send({ type: "ack", sequence: header.getUint32(4, true) });
  const blob = new Blob([new Uint8Array(buffer, HEADER_BYTES)], { type: header.getUint8(1) === 2 ? "image/png" : "image/jpeg" });
  newest.set(stream, blob);
  const view = views.get(stream);
  if (!view) return; // its view opens with the next state
  view.next = blob;
  draw(view);
}

// One frame is decoded at a time; the newest of those that came meanwhile is next.
async function draw(view) {
  if (view.drawing || !view.next) return;
  view.drawing = true;
  const blob = view.next;
  view.next = null;
  try {
    const image = await createImageBitmap(blob);
    if (view.canvas.width !== image.width || view.canvas.height !== image.height) resize(view, image.width, image.height);
    view.canvas.getContext("2d").drawImage(image, 0, 0);
    image.close();
    view.canvas.dataset.frames = String(Number(view.canvas.dataset.frames ?? 0) + 1);
  } catch {
    notice("an image could not be decoded");
  }
  view.drawing = false;
  draw(view);
}

function resize(view, width, height) {
  view.canvas.width = width;
  view.canvas.height = height;
  const factor = Math.max(1, Math.floor(Math.min(innerHeight * 0.66 / height, $("stage").clientWidth / width)));
  view.canvas.style.height = views.size === 1 && innerWidth > 860 ? `${height * factor}px` : "";
}

// --- views: the present, or the futures -----------------------------------------------------------------------------

function showViews(count) {
  const streams = count ? Array.from({ length: count }, (_, index) => index + 1) : [0];
  if (streams.length === views.size && streams.every((stream) => views.has(stream))) return;
  releaseAll();
  const stage = $("stage");
  stage.replaceChildren();
  stage.classList.toggle("many", count > 0);
  views.clear();
  for (const stream of streams) {
    const box = document.createElement("div");
    box.className = "view";
    box.dataset.stream = stream;
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", stream ? `Future ${stream}` : "The present");
    canvas.width = canvas.height = 1;
    box.append(canvas);
    if (stream) box.append(label(stream));
    stage.append(box);
    const view = { canvas, box, stream, next: newest.get(stream) ?? null, drawing: false };
    views.set(stream, view);
    draw(view);
  }
  choose(streams[0]);
}

function label(stream) {
  const row = document.createElement("div");
  row.className = "label";
  const name = document.createElement("span");
  name.textContent = `Future ${stream}`;
  const go = document.createElement("button");
  go.textContent = "Go on here";
  go.onclick = () => request("adopt", { future: stream });
  row.append(name, go);
  return row;
}

function choose(stream) {
  if (stream !== chosen) releaseAll();
  chosen = stream;
  for (const view of views.values()) view.box.classList.toggle("chosen", views.size > 1 && view.stream === stream);
}

// --- what is held -------------------------------------------------------------------------------------------------

function drive() {
  const keys = [...new Set([...held.keys, ...held.touch, ...held.pad])].sort().join("");
  const message = state.model?.control === "keys" ? { keys } : { values: held.values ?? [] };
  const text = JSON.stringify([chosen, message]);
  const isHeld = Boolean(message.keys?.length || message.values?.length);
  if (!isHeld && text === said) return;
  said = text;
  if (isHeld || isOpen()) send({ type: "drive", stream: chosen, ...message });
  for (const button of document.querySelectorAll(".pad button")) button.classList.toggle("on", keys.includes(button.dataset.key));
}

function releaseAll() {
  held.keys.clear();
  held.pad.clear();
  held.touch.clear();
  held.values = null;
  document.querySelectorAll(".cursor").forEach((cursor) => cursor.remove());
  drive();
}

const isTyping = (target) => target instanceof Element && target.closest("input, textarea, select") !== null;

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
  if (event.code in CODES && state.model?.control === "keys") {
    held.keys.add(CODES[event.code]);
    event.preventDefault();
    if (!event.repeat) drive();
    return;
  }
  if (event.repeat) return;
  const actions = { Space: $("pause"), Period: $("step"), KeyF: $("what-if"), Escape: $("back"), KeyM: $("keep") };
  const button = actions[event.code];
  if (button && !button.hidden && !button.disabled) {
    event.preventDefault();
    button.click();
  }
});
addEventListener("keyup", (event) => { if (held.keys.delete(CODES[event.code])) drive(); });
addEventListener("blur", releaseAll);
addEventListener("focusin", (event) => { if (isTyping(event.target)) releaseAll(); });
document.addEventListener("visibilitychange", () => {
  releaseAll();
  send({ type: "watch", visible: !document.hidden });
});
setInterval(() => { readGamepad(); drive(); }, DRIVE_MS);

// A place in the image is a place in the model's range, whose limits are the image's edges.
function point(event, view) {
  const { low, high } = state.model;
  const box = view.canvas.getBoundingClientRect();
  const share = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  const inside = share.map((value) => Math.min(1, Math.max(0, value)));
  held.values = inside.map((value, index) => low[index] + value * (high[index] - low[index]));
  let cursor = view.box.querySelector(".cursor");
  if (!cursor) view.box.append(cursor = Object.assign(document.createElement("div"), { className: "cursor" }));
  cursor.style.left = `${view.canvas.offsetLeft + inside[0] * box.width}px`;
  cursor.style.top = `${view.canvas.offsetTop + inside[1] * box.height}px`;
}

$("stage").addEventListener("pointerdown", (event) => {
  const box = event.target.closest(".view");
  if (!box || event.target.closest("button")) return;
  const view = views.get(Number(box.dataset.stream));
  choose(view.stream);
  $("stage").focus({ preventScroll: true });
  if (state.model?.control !== "pointer") return;
  view.canvas.setPointerCapture(event.pointerId);
  point(event, view);
  drive();
});
$("stage").addEventListener("pointermove", (event) => {
  const view = views.get(chosen);
  if (held.values && state.model?.control === "pointer" && view.canvas.hasPointerCapture(event.pointerId)) point(event, view);
});
for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
  $("stage").addEventListener(name, () => { if (state.model?.control === "pointer" && held.values) releaseAll(); });
}

function readGamepad() {
  held.pad.clear();
  if (document.hidden || !document.hasFocus()) return;
  for (const pad of navigator.getGamepads?.() ?? []) {
    if (!pad || pad.mapping !== "standard") continue;
    const [leftX, leftY, rightX, rightY] = pad.axes.map((value) => (Math.abs(value) < DEAD_ZONE ? 0 : value));
    for (const [value, negative, positive] of [[leftX, "a", "d"], [leftY, "w", "s"], [rightX, "j", "l"], [rightY, "i", "k"]]) {
      if (value) held.pad.add(value < 0 ? negative : positive);
    }
  }
}

function makePad(keys, name) {
  const pad = document.createElement("div");
  pad.className = "pad";
  const places = [2, 4, 5, 6];
  keys.forEach(([key, meaning], index) => {
    const button = document.createElement("button");
    button.textContent = key.toUpperCase();
    button.dataset.key = key;
    button.setAttribute("aria-label", `${name} ${meaning}`);
    button.style.gridArea = `${places[index] === 2 ? 1 : 2} / ${places[index] === 2 ? 2 : places[index] - 3}`;
    button.onpointerdown = (event) => { button.setPointerCapture(event.pointerId); held.touch.add(key); drive(); };
    button.onlostpointercapture = () => { held.touch.delete(key); drive(); };
    pad.append(button);
  });
  const text = document.createElement("span");
  text.textContent = name;
  pad.append(text);
  return pad;
}

function makeSlider(index) {
  const { names, units, low, high } = state.model;
  const row = document.createElement("label");
  const name = document.createElement("span");
  name.textContent = names[index];
  const input = document.createElement("input");
  Object.assign(input, { type: "range", min: low[index] ?? -1, max: high[index] ?? 1, step: "any" });
  input.value = String((Number(input.min) + Number(input.max)) / 2);
  const shown = document.createElement("output");
  const show = () => { shown.textContent = `${Number(input.value).toPrecision(3)} ${units[index] ?? ""}`; };
  show();
  input.oninput = () => { show(); held.values = sliderValues(); drive(); };
  input.onchange = () => { held.values = null; drive(); };
  row.append(name, input, shown);
  return row;
}

const sliderValues = () => [...$("sliders").querySelectorAll("input")].map((input) => Number(input.value));

function showControls(model) {
  $("pads").hidden = model.control !== "keys";
  $("sliders").hidden = model.control !== "values";
  $("pads").replaceChildren(...(model.control === "keys" ? [makePad(MOVE, "move"), makePad(LOOK, "look")] : []));
  $("sliders").replaceChildren(...(model.control === "values" ? model.names.map((_, index) => makeSlider(index)) : []));
  $("drive-help").textContent = {
    keys: "Hold the keys, the buttons or the sticks of a gamepad.",
    pointer: "Press on the image and drag: the robot follows the pointer. Time passes while you hold.",
    values: "Move a slider. Time passes while you hold it.",
  }[model.control];
  $("describe").hidden = !model.uses_prompt;
}

// --- state --------------------------------------------------------------------------------------------------------

function showState(next) {
  const isNewModel = next.model && JSON.stringify(next.model) !== JSON.stringify(state.model);
  const isFirst = !state.model;
  state = next;
  if (isNewModel) showControls(next.model);
  if (isFirst && next.model) { $("seed").value = next.seed; $("prompt").value = next.prompt; }
  showViews(next.futures);
  showLink();
  showTrust(next.frame);
  showMoments(next.moments);
  if (next.notice) notice(next.notice);
  const status = next.status;
  const paused = status?.state === "paused" || next.futures > 0;
  $("model").textContent = next.model?.name ?? "";
  $("pause").firstChild.textContent = paused ? "Resume " : "Pause ";
  $("pause").disabled = next.futures > 0;
  $("step").disabled = next.futures > 0;
  $("what-if").hidden = next.futures > 0;
  $("count-label").hidden = next.futures > 0;
  $("back").hidden = next.futures === 0;
  $("begin").hidden = next.simulator;
  $("record").classList.toggle("on", Boolean(status?.recording));
  $("record").textContent = status?.recording ? "Stop recording" : "Record bag";
  $("fps").textContent = status?.fps == null ? "–" : status.fps.toFixed(1);
  $("latency").textContent = status?.latency_s == null ? "–" : `${Math.round(status.latency_s * 1000)} ms`;
  $("engine").textContent = next.model?.engine ?? "–";
  $("memory").textContent = status ? `${(status.memory_bytes / 1e9).toFixed(2)} GB` : "–";
  $("index").textContent = next.frame?.index ?? "–";
  $("state").textContent = status ? `${status.state}, ${status.mode}` : "–";
  $("seat-text").textContent = { you: "You drive.", another: "Another page drives.", nobody: next.pages > 1 ? `${next.pages} pages are open; the first to drive holds the controls.` : "" }[next.driver];
  $("take-over").hidden = next.driver !== "another";
  const hint = status === null ? "The imagination node does not answer. The page goes on when it is back."
    : status.state === "failed" ? status.error
    : !status.session ? (next.simulator ? "No world is loaded. Call load_world." : "There is no world yet. Start one on the right.")
    : status.state === "paused" && !next.futures ? "Paused. Resume (Space) to drive." : "";
  $("hint").textContent = hint;
  $("hint").hidden = !hint;
}

function showLink() {
  const pill = $("link");
  const [text, kind] = !isOpen() ? ["viewer not connected", "gone"] : !state.status ? ["node silent", "gone"]
    : state.status.state === "paused" ? ["paused", ""] : state.status.state === "waiting" ? ["waits for you", ""] : ["live", "live"];
  pill.textContent = text;
  pill.className = `pill ${kind}`;
}

// The band shows the share of the measured horizon that is used up, or the node's own estimate where it has one.
function showTrust(frame) {
  const band = $("trust");
  band.hidden = !frame;
  if (!frame) return;
  const horizon = frame.max_horizon;
  const trust = frame.trust ?? (horizon ? Math.max(0, 1 - frame.since_real / (2 * horizon)) : null);
  const [word, kind] = frame.since_real === 0 ? ["Real image", ""] : trust === null ? ["Not measured", "warn"]
    : trust >= 0.5 ? ["Reliable", ""] : trust >= 0.1 ? ["Drifting", "warn"] : ["Do not rely on this", "bad"];
  band.className = `trust ${kind}`;
  $("trust-fill").style.width = `${100 * (trust ?? 0)}%`;
  $("trust-word").textContent = frame.trust === null || frame.trust === undefined ? word : `${word} ${frame.trust.toFixed(2)}`;
  $("trust-text").textContent = `${frame.since_real} frames since a real image${horizon ? `, measured reliable for ${horizon}` : ""}${frame.blocked ? "; the motion is blocked" : ""}`;
}

function showMoments(moments) {
  const strip = $("strip");
  const shown = new Set([...strip.children].map((child) => Number(child.dataset.moment)));
  for (const child of [...strip.children]) if (!moments.some(({ moment }) => moment === Number(child.dataset.moment))) child.remove();
  for (const { moment, time_s } of moments) {
    if (shown.has(moment)) continue;
    const button = document.createElement("button");
    button.dataset.moment = moment;
    button.title = "Go back to this moment";
    const image = Object.assign(document.createElement("img"), { src: `/moment/${moment}`, alt: `Moment ${moment}` });
    const text = document.createElement("span");
    text.textContent = `moment ${moment}`;
    button.append(image, text);
    button.dataset.time = time_s;
    button.onclick = () => request("return_to", { moment });
    strip.append(button);
  }
}

function notice(text) {
  const box = document.createElement("div");
  box.textContent = text;
  $("notices").append(box);
  while ($("notices").children.length > 3) $("notices").firstChild.remove();
  setTimeout(() => box.remove(), 8000);
}

// --- buttons ------------------------------------------------------------------------------------------------------

$("pause").onclick = () => request("pause", { paused: state.status?.state !== "paused" });
$("step").onclick = () => request("step");
$("what-if").onclick = () => request("futures", { count: Number($("count").value) });
$("back").onclick = () => request("back");
$("keep").onclick = () => request("keep");
$("record").onclick = async () => {
  const result = await request("record", { on: !state.status?.recording });
  if (result?.path) notice(`bag: ${result.path}`);
};
$("reset").onclick = () => request("reset");
$("new-world").onclick = () => request("new_world", { seed: Number($("seed").value) });
$("take-over").onclick = () => request("take_over");
$("apply").onclick = () => request("prompt", { text: $("prompt").value });
$("film").onclick = async (event) => {
  event.preventDefault();
  const answer = await fetch("/film.mp4");
  if (!answer.ok) { notice((await answer.json()).error_msg); return; }
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await answer.blob()), download: "imagined.mp4" });
  link.click();
  URL.revokeObjectURL(link.href);
};
$("image").onchange = async () => {
  const [file] = $("image").files;
  $("image").value = "";
  if (!file) return;
  const answer = await fetch("/image", { method: "POST", body: file });
  const { image, error_msg } = await answer.json();
  if (error_msg) notice(error_msg);
  else await request("new_world", { seed: Number($("seed").value), image });
};

showViews(0);
connect();
