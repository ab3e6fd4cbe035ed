// The controls of network.html: choose a face, change it, show each step of the network (meso4 in network.js).
// The network computes in a worker, so that the page stays responsive. A picture is RGBA in a Uint8ClampedArray.
(() => {
  "use strict";
  const SIZE = 256;
  const GRAY = 128;
  const CELLS = 8; // places a side that a hidden neuron sees
  const PATIENCE = 40; // steps that can be undone
  const BLOCKS = ["conv1", "conv2", "conv3", "conv4"];
  const REGIONS = ["eyes", "nose", "mouth", "skin", "background", "tampered region", "whole picture"];
  const $ = (id) => document.getElementById(id);
  const context = (canvas) => canvas.getContext("2d", { willReadFrequently: true });
  const stored = JSON.parse($("mk-data").textContent);
  const weights = Object.fromEntries(
    Object.entries(stored.weights).map(([layer, arrays]) => [layer, arrays.map(floats)]),
  );
  const typical = stored.pairs[0].landmarks.map((_, i) =>
    [0, 1].map((c) => stored.pairs.reduce((sum, pair) => sum + pair.landmarks[i][c], 0) / stored.pairs.length),
  );
  let face = null; // the chosen one: name, original, partner, partnerName, mask, landmarks; later p, partnerP, and
  // white: layer -> the value of each filter, for the unchanged face, that is drawn white
  let painted = null; // the face after painting
  let seen = null; // what the network sees: after painting and disturbing
  let layers = null; // of what it sees
  let own = null; // the opened picture and its square
  let chosen = { layer: "hidden", unit: 0 };
  let done = []; // earlier states of `painted`

  // --- The network, in a worker
  const worker = (() => {
    const answer = "onmessage = ({ data: [face, weights] }) => postMessage(meso4(face, weights));";
    try {
      return new Worker(URL.createObjectURL(new Blob([$("mk-network").textContent, answer])));
    } catch {
      return null; // the page computes itself, and stands still meanwhile
    }
  })();

  function compute(picture) {
    const input = new Float32Array(SIZE * SIZE * 3);
    for (let i = 0; i < SIZE * SIZE; i++) for (let c = 0; c < 3; c++) input[3 * i + c] = picture[4 * i + c] / 255;
    if (worker === null) return Promise.resolve(meso4(input, weights));
    return new Promise((resolve) => {
      worker.onmessage = (message) => resolve(message.data);
      worker.postMessage([input, weights]);
    });
  }

  // One task at a time; of those that wait only the newest is done.
  let busy = false;
  let next = null;
  async function soon(task) {
    next = task;
    if (busy) return;
    busy = true;
    document.body.dataset.busy = "yes";
    while (next !== null) {
      const now = next;
      next = null;
      await now();
    }
    busy = false;
    delete document.body.dataset.busy;
  }

  // --- Pictures
  async function decode(source) {
    const image = new Image();
    image.src = source;
    await image.decode();
    return image;
  }

  // A square of an image, resampled to 256 x 256.
  function cut(image, x, y, side) {
    const canvas = new OffscreenCanvas(SIZE, SIZE);
    const pen = context(canvas);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(image, x, y, side, side, 0, 0, SIZE, SIZE);
    return pen.getImageData(0, 0, SIZE, SIZE).data;
  }

  const draw = (canvas, picture) => context(canvas).putImageData(new ImageData(picture, SIZE, SIZE), 0, 0);

  function brighten(picture, factor) {
    return picture.map((value, i) => (i % 4 === 3 ? value : value * factor));
  }

  // A Gaussian blur, along the rows and then along the columns. sigma: pixels.
  function blur(picture, sigma) {
    const reach = Math.ceil(3 * sigma);
    const bell = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)));
    const total = bell.reduce((sum, value) => sum + value);
    const inside = (i) => Math.min(SIZE - 1, Math.max(0, i));
    const along = (from, place) => {
      const to = new Float32Array(from.length);
      for (let a = 0; a < SIZE; a++) {
        for (let b = 0; b < SIZE; b++) {
          for (let k = -reach; k <= reach; k++) {
            const share = bell[k + reach] / total;
            for (let c = 0; c < 4; c++) to[4 * place(a, b) + c] += share * from[4 * place(a, inside(b + k)) + c];
          }
        }
      }
      return to;
    };
    const rows = along(picture, (a, b) => a * SIZE + b);
    return Uint8ClampedArray.from(along(rows, (a, b) => b * SIZE + a));
  }

  async function compress(picture, quality) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIZE;
    draw(canvas, picture);
    const file = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality / 100));
    return cut(await createImageBitmap(file), 0, 0, SIZE);
  }

  const number = (id) => Number($(id).value);
  const quality = () => 100 - 5 * number("jpeg");

  async function disturbed(picture) {
    let now = picture;
    if (number("light") !== 1) now = brighten(now, number("light"));
    if (number("blur") > 0) now = blur(now, number("blur"));
    if (number("jpeg") > 0) now = await compress(now, quality());
    return now;
  }

  // --- A face is chosen
  async function show(picked) {
    face = picked;
    painted = face.original.slice();
    done = [];
    $("undo").disabled = true;
    for (const [id, value] of [["blur", 0], ["jpeg", 0], ["light", 1]]) $(id).value = value;
    words();
    $("paint-other").disabled = face.partner === null;
    $(face.partner === null ? "paint-gray" : "paint-other").checked = true;
    $("outline").disabled = $("tampered region").disabled = face.mask === null;
    if (face.mask === null) $("outline").checked = false;
    $("other-name").textContent = face.partner ? `with the pixels of ${face.partnerName}` : "with the partner's pixels (only for the people above)";
    outline();
    draw($("view"), painted);
    await soon(update);
  }

  // The value of each filter that one value in 100 exceeds.
  function bright(map, filters) {
    const of = (filter) => map.filter((_, i) => i % filters === filter).sort();
    return Float32Array.from({ length: filters }, (_, filter) => of(filter)[Math.floor((0.99 * map.length) / filters)]);
  }

  async function update() {
    const now = face;
    if (now.white === undefined) {
      const first = await compute(now.original);
      now.p = first.p_real[0];
      now.partnerP = now.partner ? (await compute(now.partner)).p_real[0] : null;
      now.white = Object.fromEntries(BLOCKS.map((layer) => [layer, bright(first[layer], weights[layer][1].length)]));
    }
    const picture = await disturbed(painted);
    const found = await compute(picture);
    if (now !== face) return; // another face was chosen meanwhile; its update waits
    [seen, layers] = [picture, found];
    draw($("view"), seen);
    draw($("input"), seen);
    report();
    maps();
    neurons();
    detail();
  }

  const changed = () => {
    $("undo").disabled = done.length === 0;
    return soon(update);
  };

  // --- The answer
  const short = (p) => (p > 0.99 ? "> 0.99" : p < 0.01 ? "< 0.01" : p.toFixed(2));
  const signed = (value, digits = 2) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

  function report() {
    const p = layers.p_real[0];
    $("answer").textContent = `p_real ${p < 0.01 || p > 0.99 ? "" : "= "}${short(p)}: taken for ${p > 0.5 ? "real" : "forged"}`;
    $("answer").className = p > 0.5 ? "real" : "forged";
    $("answer").dataset.value = p;
    $("needle").style.left = `${100 * p}%`;
    const other = face.partner ? ` Its partner, ${face.partnerName}: ${short(face.partnerP)}.` : "";
    $("compared").textContent = `Now ${face.name}. Unchanged: ${short(face.p)}.${other}`;
  }

  // --- Painting
  function remember() {
    done.push(painted.slice());
    if (done.length > PATIENCE) done.shift();
  }

  // Paint where `inside(x, y)` is true, within a box.
  function paint(inside, [left, top, right, bottom] = [0, 0, SIZE, SIZE]) {
    const source = $("paint-gray").checked ? null : face.partner;
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(SIZE, bottom); y++) {
      for (let x = Math.max(0, Math.floor(left)); x < Math.min(SIZE, right); x++) {
        if (!inside(x, y)) continue;
        const i = 4 * (y * SIZE + x);
        for (let c = 0; c < 3; c++) painted[i + c] = source ? source[i + c] : GRAY;
      }
    }
  }

  // The regions of mesokit.interpret.regions: ovals around the five landmarks; a pixel belongs to the first of them.
  function region(name) {
    const mean = (...points) => [0, 1].map((c) => points.reduce((sum, point) => sum + point[c], 0) / points.length);
    const oval = (centre, half) => (x, y) =>
      ((x - centre[0]) / (half[0] * stored.span)) ** 2 + ((y - centre[1]) / (half[1] * stored.span)) ** 2 <= 1;
    const [left, right, nose, ...corners] = face.landmarks;
    const mouth = mean(...corners);
    const middle = mean(mean(left, right), mouth);
    const { EYE, NOSE, MOUTH, INNER, OUTER } = stored.regions;
    const eyes = [oval(left, EYE), oval(right, EYE)];
    const parts = [
      ["eyes", (x, y) => eyes[0](x, y) || eyes[1](x, y)],
      ["nose", oval(nose, NOSE)],
      ["mouth", oval(mouth, MOUTH)],
      ["skin", oval(middle, INNER)],
    ];
    const outer = oval(middle, OUTER);
    if (name === "whole picture") return () => true;
    if (name === "tampered region") return (x, y) => face.mask[4 * (y * SIZE + x)] > 127;
    return (x, y) => {
      const first = parts.find(([, part]) => part(x, y));
      return first ? first[0] === name : name === "background" && !outer(x, y);
    };
  }

  function brushes() {
    const view = $("view");
    let last = null;
    const place = (event) => {
      const box = view.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * SIZE, ((event.clientY - box.top) / box.height) * SIZE];
    };
    const ring = (event) => {
      const [x, y] = place(event);
      const side = (100 * number("brush")) / SIZE;
      Object.assign($("ring").style, { left: `${(100 * x) / SIZE}%`, top: `${(100 * y) / SIZE}%`, width: `${side}%`, height: `${side}%` });
      $("ring").hidden = false;
    };
    const stroke = (to) => {
      const r = number("brush") / 2;
      const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - last[0], to[1] - last[1]) / (r / 2)));
      for (let i = 1; i <= steps; i++) {
        const [x, y] = [0, 1].map((c) => last[c] + ((to[c] - last[c]) * i) / steps);
        paint((a, b) => (a - x) ** 2 + (b - y) ** 2 <= r * r, [x - r, y - r, x + r + 1, y + r + 1]);
      }
      last = to;
      draw(view, painted);
      changed();
    };
    view.addEventListener("pointerdown", (event) => {
      if (!face) return;
      view.setPointerCapture(event.pointerId);
      remember();
      last = place(event);
      stroke(last);
    });
    view.addEventListener("pointermove", (event) => {
      ring(event);
      if (last) stroke(place(event));
    });
    for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, () => (last = null));
    view.addEventListener("pointerleave", () => ($("ring").hidden = true));
  }

  function outline() {
    const canvas = $("over");
    const pen = context(canvas);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (!$("outline").checked) return;
    const inside = (x, y) => face.mask[4 * (y * SIZE + x)] > 127;
    for (let y = 1; y < SIZE - 1; y++) {
      for (let x = 1; x < SIZE - 1; x++) {
        if (!inside(x, y) || (inside(x - 1, y) && inside(x + 1, y) && inside(x, y - 1) && inside(x, y + 1))) continue;
        pen.fillStyle = (x + y) % 8 < 4 ? "#fff" : "#000";
        pen.fillRect(2 * x, 2 * y, 3, 3);
      }
    }
  }

  // --- Look inside
  // One channel of (side, side, channels) in gray: black is 0, white is `top`.
  function drawMap(canvas, map, filters, filter, top) {
    const side = Math.sqrt(map.length / filters);
    const image = new ImageData(side, side);
    for (let i = 0; i < side * side; i++) {
      const value = top > 0 ? (255 * map[i * filters + filter]) / top : 0;
      image.data.set([value, value, value, 255], 4 * i);
    }
    canvas.width = canvas.height = side;
    context(canvas).putImageData(image, 0, 0);
  }

  function maps() {
    for (const layer of BLOCKS) {
      [...$(layer).children].forEach((button, filter) => {
        drawMap(button.firstChild, layers[layer], face.white[layer].length, filter, face.white[layer][filter]);
      });
    }
  }

  // What each hidden neuron adds to the logit.
  const shares = () => Array.from(layers.hidden_leaky, (value, unit) => value * weights.logit[0][unit]);

  function neurons() {
    const added = shares();
    const top = Math.max(...added.map(Math.abs));
    for (const button of $("neurons").children) {
      const share = added[Number(button.dataset.unit)];
      const bar = button.querySelector("i");
      bar.className = share < 0 ? "forged" : "real";
      const width = (100 * Math.abs(share)) / top;
      Object.assign(bar.style, { width: `${width}%`, left: share < 0 ? `${-width}%` : "0" });
      button.lastChild.textContent = signed(share);
    }
    const sum = (sign) => added.filter((share) => share * sign > 0).reduce((a, b) => a + b, 0);
    const logit = layers.logit[0];
    $("sum").textContent =
      `Sum: ${signed(sum(1))} for real, ${signed(sum(-1))} for forged, bias ${signed(weights.logit[1][0])}: ` +
      `logit z = ${signed(logit)}. p_real = 1 / (1 + e⁻ᶻ) = ${layers.p_real[0].toFixed(4)}.`;
  }

  function make(name, properties = {}, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  }

  const figure = (text, ...content) => make("figure", {}, make("figcaption", { textContent: text }), ...content);

  function wantedPicture(layer, unit) {
    const source = stored.wanted[layer][unit];
    if (!source) return figure("The picture that it wants: none. This filter gives 0 for every picture that was tried.");
    const what = layer === "hidden_leaky" ? "neuron" : "filter";
    const picture = make("img", { src: source, alt: `The picture for which this ${what} gives a large value` });
    return figure("The picture that it wants: found by changing noise step by step until its value is large", picture);
  }

  // A kernel (k, k) of values: blue is positive, orange negative, gray 0.
  function drawKernel(values, top) {
    const k = Math.sqrt(values.length);
    const canvas = make("canvas", { width: k, height: k });
    const image = new ImageData(k, k);
    values.forEach((value, i) => image.data.set([...tint(value / top), 255], 4 * i));
    context(canvas).putImageData(image, 0, 0);
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
  }

  // -1 to 1 -> orange over light gray to blue.
  function tint(value) {
    const end = value > 0 ? [30, 90, 200] : [205, 85, 20];
    return end.map((c) => 235 + (c - 235) * Math.min(1, Math.abs(value)));
  }

  function kernels(layer, filter) {
    const [kernel, bias] = weights[layer];
    const filters = bias.length;
    const channels = layer === "conv1" ? 3 : weights[`norm${BLOCKS.indexOf(layer)}`][0].length;
    const places = kernel.length / (filters * channels);
    const of = (c) => Array.from({ length: places }, (_, i) => kernel[(i * channels + c) * filters + filter]);
    const all = Array.from({ length: channels }, (_, c) => of(c));
    const top = Math.max(...all.flat().map(Math.abs));
    const grid = make("div", { className: "kernels" });
    if (layer === "conv1") {
      const side = Math.sqrt(places);
      const colour = make("canvas", { width: side, height: side });
      const image = new ImageData(side, side);
      for (let i = 0; i < places; i++) image.data.set([...all.map((part) => 128 + (127 * part[i]) / top), 255], 4 * i);
      context(colour).putImageData(image, 0, 0);
      grid.append(make("span", {}, colour, "as colour"));
    }
    all.forEach((part, c) => grid.append(make("span", {}, drawKernel(part, top), layer === "conv1" ? ["red", "green", "blue"][c] : `map ${c}`)));
    return figure("Its kernel: blue adds, orange subtracts, light gray is 0", grid);
  }

  function filterDetail(layer, filter) {
    const filters = face.white[layer].length;
    const map = layers[layer].filter((_, i) => i % filters === filter);
    const canvas = make("canvas");
    drawMap(canvas, map, 1, 0, face.white[layer][filter]);
    const mean = map.reduce((sum, value) => sum + value, 0) / map.length;
    const largest = map.reduce((most, value) => Math.max(most, value), 0);
    const size = Math.sqrt(map.length);
    const text = `Mean ${mean.toFixed(3)}, largest ${largest.toFixed(3)}; ${size}×${size} values, before normalization and pooling.`;
    return [figure("Its map now", canvas), kernels(layer, filter), wantedPicture(layer, filter), make("p", { textContent: text })];
  }

  // Where the sum of a hidden neuron comes from: the part of each of 8 x 8 places, over the face.
  function neuronDetail(unit) {
    const parts = new Float64Array(CELLS * CELLS);
    const output = weights.logit[0][unit];
    const channels = layers.pool4.length / parts.length;
    layers.pool4.forEach((value, i) => (parts[Math.floor(i / channels)] += value * weights.hidden[0][i * weights.logit[0].length + unit]));
    const top = Math.max(...parts.map(Math.abs));
    const canvas = make("canvas", { width: SIZE, height: SIZE });
    const pen = context(canvas);
    draw(canvas, seen.map((_, i) => (i % 4 === 3 ? 255 : seen[i - (i % 4) + 1]))); // the green channel, as gray
    parts.forEach((part, i) => {
      pen.fillStyle = `rgb(${tint(Math.sign(part * output)).join(" ")} / ${(0.85 * Math.abs(part)) / top})`;
      pen.fillRect((i % CELLS) * 32, Math.floor(i / CELLS) * 32, 32, 32);
    });
    const before = layers.hidden[unit];
    const value = layers.hidden_leaky[unit];
    const leaky = before < 0 ? `, of which LeakyReLU leaves a tenth: ${signed(value)}` : "";
    const side = output > 0 ? "real" : "forged";
    const text =
      `Its sum over all 8×8×16 values of block 4 is ${signed(before)}${leaky}. Its weight is ${signed(output, 3)}: it speaks for ${side} when it fires. ` +
      `So it adds ${signed(shares()[unit])} to the logit.`;
    const where = figure("Where its sum comes from: blue squares push towards real, orange ones towards forged", canvas);
    return [where, wantedPicture("hidden_leaky", unit), make("p", { textContent: text })];
  }

  function detail() {
    const { layer, unit } = chosen;
    const neuron = layer === "hidden";
    $("shown-title").textContent = neuron ? `Hidden neuron ${unit}` : `Block ${layer.slice(-1)}, filter ${unit}`;
    $("shown").replaceChildren(...(neuron ? neuronDetail(unit) : filterDetail(layer, unit)));
    for (const button of document.querySelectorAll("[data-layer]")) {
      const pressed = button.dataset.layer === layer && Number(button.dataset.unit) === unit;
      button.setAttribute("aria-pressed", String(pressed));
    }
  }

  function choice(layer, unit, properties, ...children) {
    const button = make("button", { type: "button", ...properties }, ...children);
    Object.assign(button.dataset, { layer, unit });
    button.addEventListener("click", () => {
      chosen = { layer, unit };
      if (layers) detail();
      $("shown").scrollIntoView({ block: "nearest" });
    });
    return button;
  }

  function inside() {
    for (const layer of BLOCKS) {
      weights[layer][1].forEach((_, filter) => {
        const button = choice(layer, filter, {}, make("canvas"));
        button.setAttribute("aria-label", `Block ${layer.slice(-1)}, filter ${filter}`);
        $(layer).append(button);
      });
    }
    const output = weights.logit[0];
    const order = [...output.keys()].sort((a, b) => output[b] - output[a]);
    chosen = { layer: "hidden", unit: order[0] };
    for (const unit of order) {
      const weight = make("span", { textContent: signed(output[unit], 3), className: output[unit] > 0 ? "real" : "forged" });
      const bar = make("span", { className: "bar" }, make("i"));
      $("neurons").append(choice("hidden", unit, {}, make("span", { textContent: unit }), weight, bar, make("span")));
    }
  }

  // --- A picture of one's own
  function crop() {
    const { image, x, y, side } = own;
    const canvas = $("whole");
    const scale = Math.min(1, 460 / image.width, 460 / image.height);
    canvas.width = image.width * scale;
    canvas.height = image.height * scale;
    const pen = context(canvas);
    pen.scale(scale, scale);
    pen.drawImage(image, 0, 0);
    pen.fillStyle = "rgb(0 0 0 / .45)";
    pen.fillRect(0, 0, image.width, image.height);
    pen.drawImage(image, x, y, side, side, x, y, side, side);
    pen.lineWidth = 2 / scale;
    pen.strokeStyle = "#fff";
    pen.strokeRect(x, y, side, side);
    pen.fillStyle = "#fff";
    const dot = 9 / scale;
    pen.fillRect(x + side - dot, y + side - dot, dot, dot);
    pen.strokeStyle = "#000";
    pen.lineWidth = 1 / scale;
    for (const [a, b] of typical) {
      pen.beginPath();
      pen.arc(x + (a / SIZE) * side, y + (b / SIZE) * side, 3.5 / scale, 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
    }
    return show({ name: "your picture", original: cut(image, x, y, side), partner: null, partnerName: "", mask: null, landmarks: typical });
  }

  // Move or scale the square, which stays inside the picture; then the sliders follow.
  function square(x, y, side) {
    const { image } = own;
    own.side = Math.max(16, Math.min(side, image.width, image.height));
    own.x = Math.max(0, Math.min(x, image.width - own.side));
    own.y = Math.max(0, Math.min(y, image.height - own.side));
    const shorter = Math.min(image.width, image.height);
    $("crop-side").value = (100 * own.side) / shorter;
    $("crop-x").value = (100 * own.x) / Math.max(1, image.width - own.side);
    $("crop-y").value = (100 * own.y) / Math.max(1, image.height - own.side);
    return crop();
  }

  async function openFile(file) {
    $("trouble").textContent = "";
    try {
      own = { image: await createImageBitmap(file) };
    } catch {
      $("trouble").textContent = `${file.name}: not a picture that this browser can read; give a JPEG, PNG or WebP file.`;
      return;
    }
    for (const radio of document.querySelectorAll("[name=face]")) radio.checked = false;
    $("crop").hidden = false;
    const { width, height } = own.image;
    const side = 0.7 * Math.min(width, height);
    await square((width - side) / 2, (height - side) / 2, side);
  }

  function cropping() {
    const canvas = $("whole");
    const slid = () => {
      const { image } = own;
      const side = (number("crop-side") / 100) * Math.min(image.width, image.height);
      square((number("crop-x") / 100) * (image.width - side), (number("crop-y") / 100) * (image.height - side), side);
    };
    for (const id of ["crop-side", "crop-x", "crop-y"]) $(id).addEventListener("input", slid);
    let held = null; // where in the square the pointer holds it, and whether it scales
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      const scale = own.image.width / box.width;
      return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale, scale];
    };
    canvas.addEventListener("pointerdown", (event) => {
      const [x, y, scale] = place(event);
      canvas.setPointerCapture(event.pointerId);
      const corner = Math.hypot(x - own.x - own.side, y - own.y - own.side) < 24 * scale;
      held = { x: x - own.x, y: y - own.y, corner };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      const [x, y] = place(event);
      if (held.corner) square(own.x, own.y, Math.min(Math.max(x - own.x, y - own.y), own.image.width - own.x, own.image.height - own.y));
      else square(x - held.x, y - held.y, own.side);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (held = null));
    $("file").addEventListener("change", () => $("file").files.length && openFile($("file").files[0]));
  }

  // --- The controls
  // Each slider has its value beside it.
  function words() {
    const said = {
      brush: () => `${number("brush")} pixels`,
      blur: () => (number("blur") ? `σ ${number("blur")} px` : "none"),
      jpeg: () => (number("jpeg") ? `quality ${quality()}` : "none"),
      light: () => `× ${number("light").toFixed(2)}`,
    };
    for (const input of document.querySelectorAll("input[type=range]")) {
      const text = said[input.id] ? said[input.id]() : `${Math.round(Number(input.value))} %`;
      input.setAttribute("aria-valuetext", text);
      input.parentElement.querySelector("output").textContent = text;
    }
  }

  function controls() {
    addEventListener("input", words);
    for (const id of ["blur", "jpeg", "light"]) $(id).addEventListener("input", changed);
    $("outline").addEventListener("change", outline);
    for (const name of REGIONS) {
      const button = make("button", { type: "button", id: name, textContent: name });
      button.addEventListener("click", () => {
        remember();
        paint(region(name));
        changed();
      });
      $("regions").append(button);
    }
    $("undo").addEventListener("click", () => {
      painted = done.pop();
      changed();
    });
    $("reset").addEventListener("click", () => show(face));
  }

  async function people() {
    const all = [];
    for (const [i, pair] of stored.pairs.entries()) {
      const image = await decode(pair.picture);
      const parts = [0, 1, 2].map((row) => cut(image, 0, row * SIZE, SIZE));
      const both = make("span");
      ["real", "forged"].forEach((label, side) => {
        const name = (one) => `person ${i + 1}, ${one}`;
        const picked = { name: name(label), original: parts[side], partner: parts[1 - side], mask: parts[2], landmarks: pair.landmarks };
        picked.partnerName = name(label === "real" ? "forged" : "real");
        const canvas = make("canvas", { width: SIZE, height: SIZE });
        draw(canvas, parts[side]);
        const radio = make("input", { type: "radio", name: "face", checked: all.length === 0 });
        radio.addEventListener("change", () => {
          $("crop").hidden = true;
          $("file").value = "";
          show(picked);
        });
        const picture = make("img", { src: canvas.toDataURL(), alt: "" });
        both.append(make("label", {}, picture, radio, `${i + 1} ${label}`));
        radio.setAttribute("aria-label", picked.name);
        all.push(picked);
      });
      $("choices").append(both);
    }
    await show(all[0]);
  }

  addEventListener("DOMContentLoaded", () => {
    inside();
    controls();
    brushes();
    cropping();
    people();
  });
})();
