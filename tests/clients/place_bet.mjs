// Places a bet by a client whose types openapi-typescript made of the house's own document. Prints the bet as JSON.
import createClient from 'openapi-fetch'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { createSiweMessage, generateSiweNonce } from 'viem/siwe'

/** @typedef {import('./schema.js').components['schemas']} Schemas */

const baseUrl = /** @type {any} */ (globalThis).process.argv[2]
/** @type {import('openapi-fetch').Client<import('./schema.js').paths>} */
const api = createClient({ baseUrl })
const wallet = privateKeyToAccount(generatePrivateKey())

/** @template T @param {{ data?: T, error?: unknown }} answer @returns {T} */
function taken(answer) {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error))
  return answer.data
}

const rules = taken(await api.GET('/api/rules'))
const domain = rules.domains[0]
const chainId = rules.chain_ids[0]
const message = createSiweMessage({
  address: wallet.address, chainId, domain, nonce: generateSiweNonce(), uri: `http://${domain}`, version: '1',
})
const signature = await wallet.signMessage({ message })
const login = taken(await api.POST('/api/auth/login', { body: { message, signature } }))
const headers = { Authorization: `Bearer ${login.token}` }

/** @returns {Promise<Schemas['BetView'] | null>} */
async function tap() {
  const grid = taken(await api.GET('/api/grid'))
  // The last column: the rate of what is far away moves the least.
  const column = grid.columns.length - 1
  const row = grid.rates_bp[column].findIndex((rate) => rate !== null)
  const rate = grid.rates_bp[column][row]
  if (rate === null || rate === undefined) return null
  const { low_cents, high_cents } = grid.rows[row]
  const cell_id = `${grid.columns[column].start_s}_${low_cents}_${high_cents}`
  const amount = grid.presets_cents[0]
  const min_rate_bp = Math.max(10_000, Math.floor(rate * 0.97))
  const nonce = generateSiweNonce()
  const timestamp = Math.floor(grid.server_time_ms / 1000)
  const text = ['Tap Trading Bet', 'Action: place_bet', `Cell: ${cell_id}`, `Amount: ${amount}`,
    `MinRate: ${min_rate_bp}`, `Nonce: ${nonce}`, `Timestamp: ${timestamp}`, `Chain: ${chainId}`, 'Version: 1'].join('\n')
  const signature = await wallet.signMessage({ message: text })
  const { data, error } = await api.POST('/api/bets', {
    headers, body: { cell_id, amount, min_rate_bp, nonce, timestamp, signature },
  })
  // Taps under one signature are answered by `taps`, one tap by `bet`.
  if (data !== undefined && 'bet' in data && 'reward_rate' in data.bet) return data.bet
  // What moved on meanwhile is tapped anew; `rate_bp` is a number where the code says RATE_MOVED.
  if (error?.code === 'RATE_MOVED' && 'rate_bp' in error && error.rate_bp < min_rate_bp) return null
  if (error !== undefined && ['CELL_NOT_OFFERED', 'CELL_CLOSED', 'PRICE_FEED_STALE'].includes(error.code)) return null
  throw new Error(JSON.stringify(error ?? data))
}

/** @type {Schemas['BetView'] | null} */
let bet = null
for (let tries = 0; bet === null && tries < 50; tries++) bet = await tap()
if (bet === null) throw new Error('no tap was taken')

const shown = taken(await api.GET('/api/bets/{bet_id}', { headers, params: { path: { bet_id: bet.id } } }))
/** @type {Schemas['BetEvent']['event_id']} */
const eventId = `c${bet.placed_commit}.0`
console.log(JSON.stringify({ bet, same: shown.bet.id === bet.id, eventId, user: login.user.id }))
