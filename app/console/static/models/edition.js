// Whether the server has another edition of the page than the one that is open: asked after each break.

const own = () => document.querySelector("meta[name=edition]").content;

/** Fires `found` once, when the connection came back and the server has another edition. `connection` is that of a graph. */
export class Edition extends EventTarget {
  isOld = false;
  #connection;
  #wasBroken = false;

  constructor(connection) {
    super();
    this.#connection = connection;
    connection.addEventListener("state", this);
  }

  handleEvent() {
    const isLive = this.#connection.state === "live";
    if (isLive && this.#wasBroken && !this.isOld) this.#ask();
    this.#wasBroken = !isLive;
  }

  async #ask() {
    let page;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      if (!answer.ok) return;
      page = await answer.text();
    } catch {
      return; // the next break asks again
    }
    if (this.isOld || page.includes(`content="${own()}"`)) return;
    this.isOld = true;
    this.dispatchEvent(new Event("found"));
  }
}
