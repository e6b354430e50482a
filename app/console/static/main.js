// Begins: every element by its name, and the console into the page.

import { Admin } from "./elements/admin.js";
import { Assign } from "./elements/assign.js";
import { Composer } from "./elements/composer.js";
import { Console } from "./elements/console.js";
import { History } from "./elements/history.js";
import { Interaction } from "./elements/interaction.js";
import { Labels } from "./elements/labels.js";
import { Part } from "./elements/part.js";
import { Person } from "./elements/person.js";
import { QueuePanel } from "./elements/queue.js";
import { Reports } from "./elements/reports.js";
import { Search } from "./elements/search.js";
import { SignIn } from "./elements/sign-in.js";
import { Timeline } from "./elements/timeline.js";
import { TopBar } from "./elements/top-bar.js";
import { Wall } from "./elements/wall.js";
import { Workplace } from "./elements/workplace.js";

const ELEMENTS = {
  "switchboard-admin": Admin,
  "switchboard-assign": Assign,
  "switchboard-composer": Composer,
  "switchboard-console": Console,
  "switchboard-history": History,
  "switchboard-interaction": Interaction,
  "switchboard-labels": Labels,
  "switchboard-part": Part,
  "switchboard-person": Person,
  "switchboard-queue": QueuePanel,
  "switchboard-reports": Reports,
  "switchboard-search": Search,
  "switchboard-sign-in": SignIn,
  "switchboard-timeline": Timeline,
  "switchboard-top-bar": TopBar,
  "switchboard-wall": Wall,
  "switchboard-workplace": Workplace,
};

for (const [name, element] of Object.entries(ELEMENTS)) customElements.define(name, element);
document.body.append(document.createElement("switchboard-console"));
