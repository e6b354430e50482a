// Mercurius with its compiler and its loaders, over the database that PGHOST and its like name.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import pg from 'pg'

const schema = `
  scalar UUID
  enum InteractionKind { SESSION AGENT_SESSION CHAT_SESSION CONVERSATION }
  enum State { OPEN SNOOZED CLOSED }
  enum OrderField { ACTIVE_AT CREATED_AT UPDATED_AT }
  enum Direction { ASC DESC }
  input InteractionFilter { kinds: [InteractionKind!], states: [State!] }
  input InteractionOrder { field: OrderField!, direction: Direction! = DESC }
  input UpdateSessionInput { id: ID!, tags: [String!], topics: [String!] }
  type Attention { level: String, reason: String, since: String }
  type Customer { id: ID!, name: String }
  type Message { id: ID!, author: String!, text: String, sentAt: String! }
  type Messages { nodes: [Message!]! }
  type Interaction {
    id: ID!
    kind: InteractionKind!
    state: State!
    version: Int!
    latestMessageAt: String
    unreadCustomerMessagesCount: Int!
    attention: Attention!
    customer: Customer
    messages(last: Int!): Messages!
  }
  type Interactions { nodes: [Interaction!]! }
  type Session { id: ID!, state: State!, needAttention: Boolean!, tags: [String!]!, topics: [String!]!, version: Int! }
  type UserError { code: String! }
  type UpdateSessionPayload { session: Session, errors: [UserError!]! }
  type Query {
    session(sessionKey: UUID!): Session
    interactions(first: Int!, filter: InteractionFilter, orderBy: InteractionOrder): Interactions!
    attentionQueue(first: Int!): Interactions!
  }
  type Mutation { updateSession(input: UpdateSessionInput!): UpdateSessionPayload! }
`

const LEVELS = [null, 'URGENT', 'HIGH', 'NORMAL', 'LOW']
const PREFIXES = { session: 'ses', agent_session: 'ags', chat_session: 'chs', conversation: 'cnv' }
const STATES = ['OPEN', 'SNOOZED', 'CLOSED']
const ORDERS = { ACTIVE_AT: 'active_at', CREATED_AT: 'created_at', UPDATED_AT: 'updated_at' }
const COLUMNS = `id, kind, state, version, last_message_at, unread_customer_messages_count, customer_id, attention_level,
  attention_reason, attention_since`

// Times as text with microseconds: the server is in UTC, and a Date would cut them.
const time = (text) => `${text.slice(0, 10)}T${text.slice(11, -3)}Z`
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, time)
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

const pool = new pg.Pool({ max: 10, options: '-c timezone=UTC' })
const ask = async (name, text, values) => (await pool.query({ name, text, values })).rows

const interaction = (row) => ({
  id: `${PREFIXES[row.kind]}_${row.id}`,
  key: row.id,
  customerKey: row.customer_id,
  kind: row.kind.toUpperCase(),
  state: row.state,
  version: row.version,
  latestMessageAt: row.last_message_at,
  unreadCustomerMessagesCount: row.unread_customer_messages_count,
  attention: {
    level: LEVELS[row.attention_level ?? 0],
    reason: row.attention_reason,
    since: row.attention_since
  }
})

// Each kind and state is a walk of one index; what is asked of them is put together here, and prepared once.
const listed = (filter, orderBy) => {
  const order = ORDERS[orderBy?.field ?? 'ACTIVE_AT']
  const sorted = `ORDER BY ${order} ${orderBy?.direction ?? 'DESC'}, id ${orderBy?.direction ?? 'DESC'} LIMIT $1`
  if (!filter?.kinds) return `SELECT ${COLUMNS} FROM interaction ${sorted}`
  const walks = filter.kinds.flatMap((kind) =>
    (filter.states ?? STATES).map(
      (state) =>
        `(SELECT ${COLUMNS}, ${order} FROM interaction WHERE kind = '${kind.toLowerCase()}' AND state = '${state}' ${sorted})`
    )
  )
  return `SELECT ${COLUMNS} FROM (${walks.join(' UNION ALL ')}) walk ${sorted}`
}

const QUEUE = `SELECT ${COLUMNS} FROM interaction WHERE attention_level IS NOT NULL
  ORDER BY attention_level, attention_since, id LIMIT $1`
const SESSION = `SELECT i.id, i.state, s.need_attention, s.tags, s.topics, i.version
  FROM session s JOIN interaction i ON i.id = s.id WHERE s.session_key = $1`
const CUSTOMERS = 'SELECT id, name FROM customer WHERE id = ANY($1)'
const MESSAGES = `SELECT k.key, m.id, m.author, m.text, m.sent_at FROM unnest($1::bigint[]) k(key), LATERAL (
    SELECT id, author, text, sent_at FROM message WHERE interaction_id = k.key ORDER BY sent_at DESC, id DESC LIMIT $2
  ) m ORDER BY m.sent_at, m.id`
const UPDATE = `WITH changed AS (
    UPDATE interaction SET version = version + 1, updated_at = now() WHERE id = $1 RETURNING version, state
  ), session_changed AS (
    UPDATE session SET tags = $2, topics = $3 WHERE id = $1 RETURNING need_attention, tags, topics
  ) SELECT * FROM changed, session_changed`

const session = (row, id) => ({
  id: id ?? `ses_${row.id}`,
  state: row.state,
  needAttention: row.need_attention,
  tags: row.tags,
  topics: row.topics,
  version: row.version
})

const resolvers = {
  Query: {
    session: async (_, { sessionKey }) => {
      const [row] = await ask('session', SESSION, [sessionKey])
      return row && session(row)
    },
    interactions: async (_, { first, filter, orderBy }) => {
      const text = listed(filter, orderBy)
      const name = `list ${filter?.kinds} ${filter?.states} ${orderBy?.field} ${orderBy?.direction}`
      return { nodes: (await ask(name, text, [first])).map(interaction) }
    },
    attentionQueue: async (_, { first }) => ({ nodes: (await ask('queue', QUEUE, [first])).map(interaction) })
  },
  Mutation: {
    updateSession: async (_, { input: { id, tags, topics } }) => {
      const [row] = await ask('update', UPDATE, [id.slice(4), JSON.stringify(tags), JSON.stringify(topics)])
      return { session: session(row, id), errors: [] }
    }
  }
}

const loaders = {
  Interaction: {
    customer: {
      async loader (queries) {
        const rows = await ask('customers', CUSTOMERS, [queries.map(({ obj }) => obj.customerKey)])
        const found = new Map(rows.map((row) => [row.id, { id: `cus_${row.id}`, name: row.name }]))
        return queries.map(({ obj }) => found.get(obj.customerKey) ?? null)
      },
      opts: { cache: false }
    },
    messages: {
      async loader (queries) {
        const found = new Map(queries.map(({ obj }) => [obj.key, []]))
        for (const row of await ask('messages', MESSAGES, [[...found.keys()], queries[0].params.last])) {
          found.get(row.key).push({ id: `msg_${row.id}`, author: row.author, text: row.text, sentAt: row.sent_at })
        }
        return queries.map(({ obj }) => ({ nodes: found.get(obj.key) }))
      },
      opts: { cache: false }
    }
  }
}

const app = Fastify()
await app.register(mercurius, { schema, resolvers, loaders, jit: 1 })
const url = await app.listen({ port: 0, host: '127.0.0.1' })
console.log(`${url}/graphql`)
process.once('SIGTERM', async () => {
  await app.close()
  await pool.end()
})
