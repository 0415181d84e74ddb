// pages/scroll/find.js: the slice that is looked for, by number, instance, SOP UID or address.

"use strict";

// `image 45`, where the header numbers its images.
function instanceOf(series, number) {
  const instance = series.instances[number];
  return instance === null || instance === undefined ? "" : `image ${instance}`;
}

// The place of the slice that a text names: 12, i45 or a SOP Instance UID; -1 where there is none.
function placeOf(series, text) {
  const wanted = text.trim();
  const instance = /^(?:i|image|instance) *(-?\d+)$/i.exec(wanted);
  if (instance) return series.instances.indexOf(Number(instance[1]));
  if (/^\d+$/.test(wanted)) {
    const number = Number(wanted) - 1;
    return number >= 0 && number < series.slices.length ? number : -1;
  }
  return wanted ? series.sops.indexOf(wanted) : -1;
}

// What the address asks for (#slice=12, #sop=UID, #instance=45), as placeOf takes it; else "".
function askedOf(hash) {
  const asked = new URLSearchParams(hash.replace(/^#/, ""));
  const instance = asked.get("instance");
  return asked.get("sop") || asked.get("slice") || (instance ? `i${instance}` : "");
}

class Finder {
  constructor(viewer, planes) {
    this.viewer = viewer;
    this.planes = planes;
    element("go-to").onsubmit = (event) => {
      event.preventDefault();
      if (this.go(element("wanted").value)) element("wanted").blur();
    };
    element("copy-sop").onclick = () => this.copy(this.sop, element("copy-sop"));
    element("copy-link").onclick = () => this.copy(this.link, element("copy-link"));
    window.addEventListener("hashchange", () => this.follow());
    const others = element("others");
    if (others) others.onchange = () => window.location.assign(encodeURI(others.value));
  }

  get sop() {
    return this.viewer.series.sops[this.viewer.number] || "";
  }

  // The address of the slice: by its UID, which a new page of the series has, too.
  get link() {
    const slice = this.sop ? `sop=${this.sop}` : `slice=${this.viewer.number + 1}`;
    return `${window.location.href.split("#")[0]}#${slice}`;
  }

  // To the slice that a text names, of the plane that was acquired; whether there is one.
  go(text) {
    const number = placeOf(this.planes.own, text);
    element("go-to-said").hidden = number >= 0;
    element("go-to-said").textContent = number < 0 ? `No slice ${text.slice(0, 80)} here.` : "";
    if (number >= 0) this.planes.choose(0, number);
    return number >= 0;
  }

  follow() {
    const asked = askedOf(window.location.hash);
    if (asked) this.go(asked);
  }

  tell() {
    const { series, number } = this.viewer;
    element("instance").textContent = instanceOf(series, number).replace("image ", "") || "not known";
    element("sop").textContent = this.sop || "not known";
    element("copy-sop").disabled = !this.sop;
    const made = series !== this.planes.own;
    if (made) for (const id of ["instance", "sop"]) element(id).textContent = "of several slices";
  }

  // Pages opened from a disk may not have the clipboard: then a text is selected and copied.
  async copy(text, button) {
    const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    const done = copied || this.copyBySelection(text);
    const before = button.textContent;
    button.textContent = done ? "Copied" : "Select it by hand";
    setTimeout(() => { button.textContent = before; }, 1200);
  }

  copyBySelection(text) {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
