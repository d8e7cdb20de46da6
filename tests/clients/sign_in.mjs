// Signs in with what viem, and siwe with ethers, make as they ship. Prints a line of JSON for each.
import { Wallet } from 'ethers'
import { SiweMessage, generateNonce } from 'siwe'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { createSiweMessage, generateSiweNonce } from 'viem/siwe'

const [url, domain, chain] = process.argv.slice(2)
const uri = `http://${domain}`
const chainId = Number(chain)

async function signIn(library, address, message, signature) {
  const nonce = /Nonce: (.*)/.exec(message)[1]
  const answer = await fetch(`${url}/api/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ message, signature }),
  })
  const { user, code } = await answer.json()
  const wallet = user?.wallet_address === address
  console.log(JSON.stringify({ library, status: answer.status, code, wallet, nonce: nonce.length }))
}

const account = privateKeyToAccount(generatePrivateKey())
const ofViem = createSiweMessage({
  address: account.address, chainId, domain, nonce: generateSiweNonce(), uri, version: '1', statement: 'Sign in.',
})
await signIn('viem', account.address, ofViem, await account.signMessage({ message: ofViem }))

const wallet = Wallet.createRandom()
const ofSiwe = new SiweMessage({
  address: wallet.address, chainId, domain, nonce: generateNonce(), uri, version: '1', statement: 'Sign in.',
}).prepareMessage()
await signIn('siwe and ethers', wallet.address, ofSiwe, await wallet.signMessage(ofSiwe))
