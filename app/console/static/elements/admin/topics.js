// Topics of live chat: when they are open, and who works in them.

import { COMMANDS, LISTS } from "../../graph/administration.js";
import { may, sees } from "../../models/rights.js";
import { areaField, checkField, selectField, textField } from "../../view/fields.js";
import { WEEKDAYS, hoursField } from "../../view/hours.js";
import { say, sayValue } from "../../view/language.js";
import { pickField } from "../../view/pick.js";
import { asking, creating, editing, showing } from "./actions.js";
import { findUsers } from "./users.js";

const INITIAL = ["IN_QUEUE", "PRE_CHAT_FORM", "FAQ"];
const RIGHTS = ["canRespond", "canListen", "canManage", "canNotify"];

const fields = (_tools, item = null) => [
  textField("name", say("name"), item?.name, { isRequired: true }),
  textField("description", say("description"), item?.description, { empty: null }),
  hoursField("openingHours", say("openingHours"), item?.openingHours ?? [], { hint: say("openingHoursHint") }),
  textField("timeZone", say("timeZone"), item?.timeZone ?? (item ? "" : zone()), { empty: null, hint: say("timeZoneHint"), maxLength: 64 }),
  textField("language", say("language"), item?.language, { empty: null, maxLength: 35 }),
  selectField("initialStatus", say("initialStatus"), item?.initialStatus ?? "IN_QUEUE", INITIAL.map((each) => [each, sayValue("initial", each)])),
  checkField("botEnabled", say("botEnabled"), item?.botEnabled ?? false),
  areaField("welcomeMessage", say("welcomeMessage"), item?.welcomeMessage, { empty: null }),
  areaField("offlineMessage", say("offlineMessage"), item?.offlineMessage, { empty: null }),
];

/** The time zone of the browser. */
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Opening hours in one line for each day that has some. */
const sayHours = (hours) =>
  WEEKDAYS.map((day) => {
    const open = hours.filter((each) => each.day === day).map(({ opens, closes }) => `${opens}–${closes}`);
    return open.length ? `${sayValue("weekday", day)} ${open.join(", ")}` : null;
  }).filter(Boolean);

const rights = (member) => RIGHTS.map((each) => checkField(each, sayValue("right", each), member?.[each] ?? each === "canRespond"));

const MEMBERS = {
  name: "members",
  list: { document: LISTS.membersOfTopic, of: ({ chatTopic }) => chatTopic?.members, variables: ({ id }) => ({ id }) },
  title: ({ user }) => user.name,
  badges: ({ present }) => [present && { text: say("present"), tone: "good" }],
  facts: (member) => [
    RIGHTS.filter((each) => member[each]).map((each) => sayValue("right", each)).join(" · "),
    say("ongoingChats", { n: member.ongoingChats }),
  ],
  create: creating("addMember", {
    document: COMMANDS.addChatTopicMember,
    fields: ({ graph }) => [pickField("userId", say("user"), [], findUsers(graph), { isOne: true, isRequired: true }), ...rights()],
    fixed: ({ id }) => ({ chatTopicId: id }),
  }),
  actions: [
    editing("editMember", { document: COMMANDS.updateChatTopicMember, fields: (_, member) => rights(member), isMain: true }),
    asking("removeMember", { document: COMMANDS.removeChatTopicMember }),
  ],
};

export const TOPICS = {
  name: "topics",
  isFor: (viewer) => may(viewer, "CHAT_SESSION_WRITE") && sees(viewer, "CHAT_SESSION"),
  list: { document: LISTS.topics, of: ({ chatTopics }) => chatTopics },
  title: ({ name }) => name,
  badges: ({ openingHours }) => [!openingHours.length && { text: say("alwaysOpen") }],
  facts: ({ description, openingHours, timeZone, members, queueLength }) => [
    description,
    openingHours.length && [sayHours(openingHours).join(" · "), timeZone && `(${timeZone})`].filter(Boolean).join(" "),
    [say("membersN", { n: members.totalCount }), say("waiting", { n: queueLength })].join(" · "),
  ],
  create: creating("createTopic", { document: COMMANDS.createChatTopic, fields }),
  actions: [
    editing("editTopic", { document: COMMANDS.updateChatTopic, fields, isMain: true }),
    showing("showMembers", MEMBERS, { isMain: true }),
    asking("deleteTopic", { document: COMMANDS.deleteChatTopic }),
  ],
};
